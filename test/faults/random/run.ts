import type { ServerConfig } from '../../../src/config/index.js';
import { sleep, systemClock } from '../../../src/shared/index.js';
import { SeededRandom } from '../../../src/simulator/world/random.js';
import { isAlive } from '../../mcp/support.js';
import { testConfig } from '../../support/app.js';
import { HANG_MS, waitUntil } from '../../support/wait.js';
import { Control } from '../fault-controller.js';
import { overNetwork, overStdio, startWithFront } from '../endpoints.js';
import type { FaultyServer } from '../faulty-server.js';
import { AppProcess, type Memory } from './app-process.js';
import { differences } from './compare.js';
import { type Fault, FAULTS_OF_A_NETWORK, FAULTS_OF_A_PROCESS } from './faults.js';
import { Watcher, type WatchedView } from './subscriber.js';

/** Speed of the clock of swarmlens relative to the system clock, which shortens all its delays. */
const FACTOR = 6;
/** Maximum poll rate by the clock of swarmlens. */
const MAX_POLL_HZ = 4;
/** Circuit breaker options with which the breaker opens often and probes soon after the faults. */
const BREAKER = { failures: 5, initialMs: 1_000, maxMs: 5_000 };
const COMPARISON_INTERVAL_MS = 250;

const VIEWS: readonly WatchedView[] = [
  { mode: 'NORMAL' },
  { mode: 'HIGH_FREQUENCY', serverTypes: ['RUV_SWARM'] },
  { mode: 'LOW_FREQUENCY', agentTypes: ['coder', 'researcher', 'treasury'] },
  { mode: 'ON_DEMAND', serverTypes: ['DAA', 'CLAUDE_FLOW'] },
];

export interface RandomFaults {
  /** Minimum time in seconds during which faults happen. */
  readonly seconds: number;
  readonly seed: number;
  /** Minimum number of fault kinds. @default 0 */
  readonly minKinds?: number;
  /** Minimum number of resumes. @default 0 */
  readonly minResumes?: number;
  /** Call timeout in milliseconds. Must exceed any response time of an undamaged server. @default 1000 */
  readonly timeoutMs?: number;
}

export interface Outcome {
  readonly seed: number;
  readonly seconds: number;
  /** Number of occurrences of each fault. */
  readonly faults: Readonly<Record<string, number>>;
  /** Total number of server processes. */
  readonly incarnations: number;
  readonly updates: number;
  readonly resumes: number;
  /** Number of resumes after connections that the test did not close. */
  readonly cuts: number;
  /** Time in milliseconds from the end of the faults to the recovery. Null if swarmlens did not recover. */
  readonly healedMs: number | null;
  readonly memory: readonly Memory[];
  /** Failed checks. */
  readonly problems: readonly string[];
}

/** Runs random faults on three servers, ends all faults, and compares the final states. */
export async function runRandomFaults(
  { seconds, seed, minKinds = 0, minResumes = 0, timeoutMs = 1_000 }: RandomFaults,
  tell: (line: string) => void = () => undefined,
): Promise<Outcome> {
  const counted: Record<string, number> = {};
  const problems: string[] = [];
  await using control = await Control.open();
  const flow = control.expect('flow', { type: 'claude-flow', agents: 9, seed });
  const swarm = control.expect('swarm', { type: 'ruv-swarm', agents: 9, seed: seed + 1 });
  const daa = control.expect('daa', { type: 'daa', agents: 6, seed: seed + 2 });
  const servers = [flow, swarm, daa];
  const healing = new AbortController();
  let result;
  {
    await using _daa = await startWithFront(daa, 'http');
    const options: Partial<ServerConfig> = { maxPollHz: MAX_POLL_HZ, timeoutMs, breaker: BREAKER };
    const configs = [
      overStdio(flow, { ...options, serverType: 'CLAUDE_FLOW' }),
      overStdio(swarm, options),
      overNetwork(daa, 'http', options),
    ];
    await using app = await AppProcess.start(testConfig(configs, { tombstones: 2_000, heartbeatMs: 5_000 }), FACTOR);
    await Promise.all(servers.map((server) => server.until(() => server.isAlive)));
    await using watchers = new Watchers(app.url);
    const sampling = setInterval(() => app.sample(), 1_000);
    const random = new SeededRandom(seed);
    const running = [
      ...servers.map((server) => {
        const faults = server === daa ? FAULTS_OF_A_NETWORK : FAULTS_OF_A_PROCESS;
        const own = new SeededRandom(random.below(2 ** 31));
        return happen(server, faults, own, healing.signal, (name) => {
          counted[name] = (counted[name] ?? 0) + 1;
          tell(`${server.name}: ${name}`);
        });
      }),
      ...watchers.all.slice(1).map((one) => one.comeAndGo(new SeededRandom(random.below(2 ** 31)), healing.signal)),
    ];
    const resumes = (): number => watchers.all.reduce((sum, one) => sum + one.resumes, 0);
    try {
      await sleep(systemClock, seconds * 1_000, app.ended);
      await waitUntil(() => Object.keys(counted).length >= minKinds && resumes() >= minResumes, {
        state: () => ({ faults: counted, resumes: resumes(), problems: app.problems }),
        failure: () => (app.ended.aborted && seconds === 0 ? 'swarmlens has ended' : null),
      });
    } finally {
      healing.abort();
      await Promise.all(running);
      clearInterval(sampling);
    }
    tell('healing');
    const startMs = performance.now();
    const left = await heal(app, servers, watchers.all);
    const healedMs = left.length === 0 ? performance.now() - startMs : null;
    problems.push(...left, ...watchers.all.flatMap((one) => one.problems));
    result = {
      healedMs,
      memory: app.memory,
      updates: watchers.all.reduce((sum, { updates }) => sum + updates, 0),
      resumes: resumes(),
      cuts: watchers.all.reduce((sum, { cuts }) => sum + cuts, 0),
      app,
    };
  }
  const { app, ...measured } = result;
  problems.push(...app.problems);
  const pids = servers.flatMap((server) => server.pids);
  for (const pid of [...pids, app.pid]) if (isAlive(pid)) problems.push(`process ${pid} is left`);
  return { seed, seconds, faults: counted, incarnations: pids.length, ...measured, problems };
}

/** Runs one fault after the other with pauses, until `signal` is aborted. */
async function happen(
  server: FaultyServer,
  faults: readonly Fault[],
  random: SeededRandom,
  signal: AbortSignal,
  onFault: (name: string) => void,
): Promise<void> {
  for (;;) {
    await sleep(systemClock, 100 + random.below(1_500), signal);
    if (signal.aborted) return;
    const fault = faults[random.below(faults.length)];
    if (fault === undefined) return;
    onFault(fault.name);
    // The server may exit at any moment and then rejects the order.
    await fault.begin(server, random).catch(() => undefined);
    await sleep(systemClock, 100 + random.below(random.chance(0.1) ? 15_000 : 1_500), signal);
    await fault.end(server).catch(() => undefined);
  }
}

/** Ends all faults and waits for the recovery. Returns the remaining differences. */
async function heal(
  app: AppProcess,
  servers: readonly FaultyServer[],
  watchers: readonly Watcher[],
): Promise<readonly string[]> {
  const untilMs = performance.now() + HANG_MS;
  for (;;) {
    for (const server of servers) {
      server.life = { ...server.life, hz: 0, exitOn: null };
      // The order freezes the running incarnation, and the options freeze later ones.
      await server.order({ do: 'freeze' }).catch(() => undefined);
    }
    const left = await differences(app.url, servers, watchers);
    if (left.length === 0 || performance.now() > untilMs || app.ended.aborted) return left;
    await sleep(systemClock, COMPARISON_INTERVAL_MS, app.ended);
  }
}

class Watchers implements AsyncDisposable {
  readonly all: readonly Watcher[];

  constructor(url: string) {
    this.all = VIEWS.map((view) => new Watcher(url, view));
    for (const watcher of this.all) watcher.join();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((watcher) => watcher[Symbol.asyncDispose]()));
  }
}
