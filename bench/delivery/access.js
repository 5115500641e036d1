// Measures the cost of authentication and access control: 1,000 equal subscribers with a static token and a restricted scope,
// and 1,000 without authentication. Both servers run at the same time and alternate, so that a slow period affects both.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSecret, createStaticToken } from '../../dist/auth/index.js';
import { withMeasurement } from '../support/measure.js';
import { median } from '../support/statistics.js';

const SUBSCRIBERS = 1_000;
const WARM_SECONDS = 2;
/** Number of turns of each server per repeat. */
const TURNS_PER_REPEAT = 3;

export function accessJobs({ repeats, seconds, contenders, results }) {
  results.access = [];
  if (!contenders.includes('swarmlens')) return [];
  const turns = repeats * TURNS_PER_REPEAT;
  return [
    {
      title: `access: ${turns} turns without and with tokens`,
      seconds: 2 * (turns * (seconds + 1) + WARM_SECONDS + 4),
      async run() {
        const row = await measure(turns, seconds);
        results.access.push(row);
        return `${row.ratio.toFixed(3)} × the cost without`;
      },
    },
  ];
}

function measure(turns, seconds) {
  const load = { agents: 200, changed: 20, hz: 10, filters: 'equal', compressed: false, total: SUBSCRIBERS };
  const options = { contender: 'swarmlens', ...load };
  return withMeasurement(options, (open) =>
    withMeasurement({ ...options, ...restrictedAccess() }, async (restricted) => {
      const connectMs = {};
      for (const [name, measurement] of Object.entries({ open, restricted })) {
        connectMs[name] = await measurement.connect(SUBSCRIBERS);
        await measurement.subscribe(SUBSCRIBERS);
        await measurement.run(WARM_SECONDS);
      }
      const rounds = [];
      for (let turn = 0; turn < turns; turn += 1) {
        // Alternates the order, because each run is affected by the previous one.
        const [first, second] = turn % 2 === 0 ? [open, restricted] : [restricted, open];
        const [firstRun, secondRun] = [await first.run(seconds), await second.run(seconds)];
        const [without, within] = first === open ? [firstRun, secondRun] : [secondRun, firstRun];
        rounds.push({ without, within, ratio: within.cpuMicrosPerUpdate / without.cpuMicrosPerUpdate });
      }
      return { subscribers: SUBSCRIBERS, connectMs, rounds, ratio: median(rounds.map(({ ratio }) => ratio)) };
    }),
  );
}

/** Creates a token file with one token, restricted to this server's agents without neural data. Removed at exit. */
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
