// 1,000 subscriptions to the same operation at once, on connections that are open, while the picture changes. Once in a
// server that has never seen the operation, and once more in the same server.
import { withBout } from '../support/measure.js';

const SUBSCRIBERS = 1_000;

export function joiningJobs({ contenders, results }) {
  results.joining = [];
  const kinds = [
    ...contenders.map((contender) => ({ contender, filters: 'equal' })),
    ...contenders.filter((contender) => contender !== 'raw').map((contender) => ({ contender, filters: 'distinct' })),
  ];
  return kinds.map((kind) => ({
    title: `joining: ${kind.contender}, ${kind.filters}`,
    seconds: kind.filters === 'equal' ? 4 : 7,
    async run() {
      const load = { agents: 200, changed: 20, hz: 10, compressed: false, total: SUBSCRIBERS };
      const row = await withBout({ ...kind, ...load }, async (bout) => {
        const connectMs = await bout.connect(SUBSCRIBERS);
        const firstMs = await bout.join(SUBSCRIBERS);
        await bout.leave(SUBSCRIBERS);
        await bout.connect(SUBSCRIBERS);
        return { ...kind, connectMs, firstMs, againMs: await bout.join(SUBSCRIBERS) };
      });
      results.joining.push(row);
      return `${row.firstMs.toFixed(0)} ms, again ${row.againMs.toFixed(0)} ms`;
    },
  }));
}
