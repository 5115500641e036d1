// Resident memory of the server for each connection: idle, subscribed, and while it sends ten updates a second. The
// picture is as large as an update, so that no snapshot leaves its mark. The server has had a few clients before, so
// that what it loads and compiles for the first of them is no connection's; garbage is collected before each look but
// that while sending.
import { withBout } from '../support/measure.js';

const CONNECTIONS = 2_000;
const WARM = 10;

export function memoryJobs({ contenders, results }) {
  results.memory = [];
  return contenders
    .flatMap((contender) => [false, true].map((compressed) => ({ contender, compressed })))
    .map((kind) => ({
      title: `memory: ${kind.contender}${kind.compressed ? ', compressed' : ''}`,
      seconds: 9,
      async run() {
        const row = { ...kind, ...(await measure(kind)) };
        results.memory.push(row);
        return `${row.idleKB.toFixed(0)} KB idle, ${row.subscribedKB.toFixed(0)} KB subscribed`;
      },
    }));
}

function measure(kind) {
  const load = { agents: 20, changed: 20, hz: 10, filters: 'equal', total: CONNECTIONS };
  return withBout({ ...kind, ...load }, async (bout) => {
    await bout.connect(WARM);
    await bout.subscribe(WARM);
    await bout.run(2);
    await bout.leave(WARM);
    const none = await bout.memory();
    await bout.connect(CONNECTIONS);
    const idle = await bout.memory();
    await bout.subscribe(CONNECTIONS);
    const { rss } = await bout.run(3);
    const subscribed = await bout.memory();
    const each = (bytes, before) => (bytes - before) / CONNECTIONS / 1000;
    return {
      extensions: bout.extensions,
      idleKB: each(idle.rss, none.rss),
      subscribedKB: each(subscribed.rss, none.rss),
      sendingKB: each(rss, none.rss),
      subscribedHeapKB: each(subscribed.heap, none.heap),
    };
  });
}
