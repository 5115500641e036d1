import type { ServerConfig } from '../../../src/config/index.js';
import { sleep, systemClock } from '../../../src/shared/index.js';
import { Random } from '../../../src/simulator/random.js';
import { isAlive } from '../../mcp/support.js';
import { testConfig } from '../../support/app.js';
import { HANG_MS, waitUntil } from '../../support/wait.js';
import { Control } from '../control.js';
import { overNetwork, overStdio, startWithFront } from '../endpoints.js';
import type { FaultyServer } from '../faulty-server.js';
import { AppProcess, type Memory } from './app-process.js';
import { differences } from './compare.js';
import { type Fault, FAULTS_OF_A_NETWORK, FAULTS_OF_A_PROCESS } from './faults.js';
import { Watcher, type Wish } from './watcher.js';

/** The app's clock, and so its schedules, against ours: ten minutes of processes are an hour of pauses. */
const FACTOR = 6;
/** Of the app's clock. A call's timeout and a breaker's pause go by ours. */
const MAX_POLL_HZ = 4;
/** Opens often, and is soon asked again after the faults. */
const BREAKER = { failures: 5, initialMs: 1_000, maxMs: 5_000 };
const BETWEEN_LOOKS_MS = 250;

const WISHES: readonly Wish[] = [
  { mode: 'NORMAL' },
  { mode: 'HIGH_FREQUENCY', serverTypes: ['RUV_SWARM'] },
  { mode: 'LOW_FREQUENCY', agentTypes: ['coder', 'researcher', 'treasury'] },
  { mode: 'ON_DEMAND', serverTypes: ['DAA', 'CLAUDE_FLOW'] },
];

export interface RandomFaults {
  /** Least time in which faults happen. */
  readonly seconds: number;
  readonly seed: number;
  /** Kinds of faults that happen at least. */
  readonly minKinds?: number;
  /** Resumes of subscribers that happen at least. */
  readonly minResumes?: number;
  /** Of calls to the servers. Many of them expire, and none of an undamaged server may. */
  readonly timeoutMs?: number;
}

export interface Outcome {
  readonly seed: number;
  readonly seconds: number;
  /** How often each fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  /** Processes that the servers were, in all. */
  readonly incarnations: number;
  readonly updates: number;
  readonly resumes: number;
  /** Resumes after a connection that the test did not end itself. */
  readonly cuts: number;
  /** From the healing until everything was whole; `null`: it never was. */
  readonly healedMs: number | null;
  readonly memory: readonly Memory[];
  /** Empty when all is well. */
  readonly problems: readonly string[];
}

/** Lets random faults happen to three servers, heals everything, and compares what is there with what should be. */
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
    const random = new Random(seed);
    const running = [
      ...servers.map((server) => {
        const faults = server === daa ? FAULTS_OF_A_NETWORK : FAULTS_OF_A_PROCESS;
        const own = new Random(random.below(2 ** 31));
        return happen(server, faults, own, healing.signal, (name) => {
          counted[name] = (counted[name] ?? 0) + 1;
          tell(`${server.name}: ${name}`);
        });
      }),
      ...watchers.all.slice(1).map((one) => one.comeAndGo(new Random(random.below(2 ** 31)), healing.signal)),
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

/** One fault after the other, with pauses; ends with none. */
async function happen(
  server: FaultyServer,
  faults: readonly Fault[],
  random: Random,
  signal: AbortSignal,
  onFault: (name: string) => void,
): Promise<void> {
  for (;;) {
    await sleep(systemClock, 100 + random.below(1_500), signal);
    if (signal.aborted) return;
    const fault = faults[random.below(faults.length)];
    if (fault === undefined) return;
    onFault(fault.name);
    // It may end at any moment, and then there is no one left to obey.
    await fault.begin(server, random).catch(() => undefined);
    await sleep(systemClock, 100 + random.below(random.chance(0.1) ? 15_000 : 1_500), signal);
    await fault.end(server).catch(() => undefined);
  }
}

/** @returns what is not whole in the end; nothing when all is well */
async function heal(
  app: AppProcess,
  servers: readonly FaultyServer[],
  watchers: readonly Watcher[],
): Promise<readonly string[]> {
  const untilMs = performance.now() + HANG_MS;
  for (;;) {
    for (const server of servers) {
      server.life = { ...server.life, hz: 0, exitOn: null };
      // Whoever lives holds still; whoever is born from now on does so from the beginning.
      await server.order({ do: 'freeze' }).catch(() => undefined);
    }
    const left = await differences(app.url, servers, watchers);
    if (left.length === 0 || performance.now() > untilMs || app.ended.aborted) return left;
    await sleep(systemClock, BETWEEN_LOOKS_MS, app.ended);
  }
}

class Watchers implements AsyncDisposable {
  readonly all: readonly Watcher[];

  constructor(url: string) {
    this.all = WISHES.map((wish) => new Watcher(url, wish));
    for (const watcher of this.all) watcher.join();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((watcher) => watcher[Symbol.asyncDispose]()));
  }
}
