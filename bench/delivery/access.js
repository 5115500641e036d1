// What it costs to know who somebody is, and to show them no more than they may see: 1,000 equal subscribers with a static
// token and a restricted scope, beside 1,000 without authentication. Both servers are there at once and take turns, so
// that a slow minute of the machine falls on both.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSecret, createStaticToken } from '../../dist/auth/index.js';
import { withBout } from '../support/measure.js';
import { median } from '../support/statistics.js';

const SUBSCRIBERS = 1_000;
const WARM_SECONDS = 2;
/** Of the turns of each server. */
const TURNS_A_REPEAT = 3;

export function accessJobs({ repeats, seconds, contenders, results }) {
  results.access = [];
  if (!contenders.includes('swarmlens')) return [];
  const turns = repeats * TURNS_A_REPEAT;
  return [
    {
      title: `access: ${turns} turns without and with tokens`,
      seconds: 2 * (turns * (seconds + 1) + WARM_SECONDS + 4),
      async run() {
        const row = await measure(turns, seconds);
        results.access.push(row);
        return `${row.ratio.toFixed(3)} × without`;
      },
    },
  ];
}

function measure(turns, seconds) {
  const load = { agents: 200, changed: 20, hz: 10, filters: 'equal', compressed: false, total: SUBSCRIBERS };
  const options = { contender: 'swarmlens', ...load };
  return withBout(options, (open) =>
    withBout({ ...options, ...restrictedAccess() }, async (restricted) => {
      const connectMs = {};
      for (const [name, bout] of Object.entries({ open, restricted })) {
        connectMs[name] = await bout.connect(SUBSCRIBERS);
        await bout.subscribe(SUBSCRIBERS);
        await bout.run(WARM_SECONDS);
      }
      const rounds = [];
      for (let turn = 0; turn < turns; turn += 1) {
        // Whoever is first finds the machine as the other has left it: by turns.
        const [first, second] = turn % 2 === 0 ? [open, restricted] : [restricted, open];
        const [one, other] = [await first.run(seconds), await second.run(seconds)];
        const [without, within] = first === open ? [one, other] : [other, one];
        rounds.push({ without, within, ratio: within.cpuMicrosPerUpdate / without.cpuMicrosPerUpdate });
      }
      return { subscribers: SUBSCRIBERS, connectMs, rounds, ratio: median(rounds.map(({ ratio }) => ratio)) };
    }),
  );
}

/** A token file with one token, which sees this server's agents without neural data. It is gone when the benchmark ends. */
function restrictedAccess() {
  const folder = mkdtempSync(join(tmpdir(), 'swarmlens-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { id, secret, text } = createStaticToken();
  const restriction = {
    serverIds: ['bench'],
    serverTypes: null,
    agentTypes: null,
    swarmIds: null,
    performance: true,
    neural: false,
  };
  const createdAt = new Date().toISOString();
  const stored = {
    id,
    name: null,
    hash: hashSecret(secret),
    permissions: ['agents:read'],
    restriction,
    createdAt,
    expiresAt: null,
  };
  const tokens = join(folder, 'tokens.json');
  writeFileSync(tokens, JSON.stringify({ tokens: [stored] }), { mode: 0o600 });
  return { tokens, token: text };
}
