import { setMaxListeners } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { z } from 'zod';
import { PROGRAM, request, serverConfig, testConfig } from '../../support/app.js';
import { sleep, systemClock } from '../../../src/shared/index.js';
import { SeededRandom } from '../../../src/simulator/world/random.js';
import { AppProcess } from '../../faults/random/app-process.js';
import { TemporaryDirectory } from '../../support/temporary-directory.js';
import { waitUntil } from '../../support/wait.js';
import { WATCHED_AGENT, type WatchedAgent, WatchedAgents, watchedAgentSchema } from '../../support/watched-agents.js';
import { type ExpectedAgent, ScriptedSession } from './scripted-session.js';

const SERVER = 'claude';
const SAMPLE_INTERVAL_MS = 1_000;
/** Mean time in milliseconds between two steps of a session. */
const STEP_MS = 500;
/** Time in seconds between two lines of progress. */
const REPORT_SECONDS = 60;
const COMPARISON_INTERVAL_MS = 250;

export interface ObserveSoak {
  /** Time in seconds during which the sessions write. */
  readonly seconds: number;
  /** Number of sessions. */
  readonly sessions: number;
  readonly seed: number;
}

/** State of both processes at one time. Memory in bytes. */
export interface Sample {
  readonly second: number;
  readonly coreRss: number;
  readonly coreHeap: number;
  readonly coreFiles: number;
  readonly observerRss: number;
  readonly observerFiles: number;
}

export interface Outcome {
  readonly steps: number;
  readonly bytes: number;
  readonly updates: number;
  readonly agents: number;
  readonly samples: readonly Sample[];
  readonly problems: readonly string[];
}

/**
 * Lets scripted sessions write transcripts while swarmlens observes them. Checks the agents and tasks in the end, and that the files contain
 * exactly what was written.
 */
export async function runObserveSoak(
  { seconds, sessions: count, seed }: ObserveSoak,
  log: (line: string) => void = () => undefined,
): Promise<Outcome> {
  await using directory = await TemporaryDirectory.create();
  const root = directory.path('claude');
  const random = new SeededRandom(seed);
  const sessions = Array.from(
    { length: count },
    (_, number) => new ScriptedSession(root, number, new SeededRandom(random.below(2 ** 31))),
  );
  for (const session of sessions) await session.start();
  const endpoint = {
    type: 'stdio' as const,
    command: process.execPath,
    args: [PROGRAM, 'observe', 'claude-code', '--root', root],
    cwd: directory.root,
    env: { XDG_STATE_HOME: directory.path('state'), LOG_LEVEL: 'warn' },
  };
  const config = testConfig([serverConfig(SERVER, [], { endpoint, allowTools: ['list_agents'] })]);
  const problems: string[] = [];
  await using app = await AppProcess.start(config, 1);
  await using subscribed = new WatchedAgents(app);
  await waitUntil(() => subscribed.agents.size >= count, { state: () => subscribed.agents.size });
  const observer = await observerPid(app.pid);
  const samples: Sample[] = [];
  const stopping = new AbortController();
  // All sessions and the sampling wait for it.
  setMaxListeners(count + 1, stopping.signal);
  const sampling = sample(app, observer, samples, stopping.signal);
  let steps = 0;
  const writing = sessions.map(async (session) => {
    const own = new SeededRandom(random.below(2 ** 31));
    const work = session.work();
    while (!stopping.signal.aborted) {
      await work.next();
      steps += 1;
      await sleep(systemClock, STEP_MS / 2 + own.below(STEP_MS), stopping.signal);
    }
  });
  for (let left = seconds; left > 0 && !app.ended.aborted; left -= REPORT_SECONDS) {
    await sleep(systemClock, Math.min(REPORT_SECONDS, left) * 1_000, app.ended);
    log(`${steps} steps, ${subscribed.updates} updates, ${JSON.stringify(samples.at(-1))}`);
  }
  stopping.abort();
  await Promise.all([...writing, sampling]);
  for (const session of sessions) await session.end();

  const expected = sessions.flatMap((session) => session.expected());
  problems.push(...(await differencesInTheEnd(app, subscribed, expected, sessions)));
  const written = sessions.flatMap(({ files }) => files);
  for (const file of written) if (!(await file.isUnchanged())) problems.push(`${file.path} is not what was written`);
  const known = new Set(written.map(({ path }) => path));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.flatMap((entry) =>
    entry.isDirectory() ? [] : [`${entry.parentPath}/${entry.name}`.slice(root.length + 1)],
  );
  for (const path of paths) if (!known.has(path)) problems.push(`${path} was created by somebody else`);
  const bytes = await Promise.all(paths.map(async (path) => (await readFile(`${root}/${path}`)).length));
  problems.push(...app.problems);
  return {
    steps,
    bytes: bytes.reduce((sum, size) => sum + size, 0),
    updates: subscribed.updates,
    agents: expected.length,
    samples,
    problems,
  };
}

/** Waits until subscription and query show the expected agents and tasks. Returns the remaining differences. */
async function differencesInTheEnd(
  app: AppProcess,
  subscribed: WatchedAgents,
  expected: readonly ExpectedAgent[],
  sessions: readonly ScriptedSession[],
): Promise<readonly string[]> {
  const answer = z.object({
    agents: z.array(watchedAgentSchema),
    tasks: z.array(z.object({ nativeId: z.string(), swarmId: z.string().nullable(), status: z.string() })),
    callTool: z.object({ content: z.object({ problems: z.array(z.unknown()) }) }),
  });
  let left: readonly string[] = [];
  const compare = async (): Promise<readonly string[]> => {
    const query = await request(app, `{ agents { ${WATCHED_AGENT} } tasks { nativeId swarmId status } }`);
    const call = await request(
      app,
      `mutation { callTool(serverId: "${SERVER}", tool: "list_agents", arguments: {}) { content } }`,
    );
    const { agents, tasks, callTool } = answer.parse({ ...query.data, ...call.data });
    const problems = callTool.content.problems.map((problem) => `the observer reports ${JSON.stringify(problem)}`);
    const statusOf = new Map(tasks.map(({ swarmId, status }) => [swarmId, status]));
    const wrongTasks = sessions.flatMap(({ id, expectedTaskStatus }) => {
      const status = statusOf.get(`${SERVER}:${id}`);
      return status === expectedTaskStatus ? [] : [`task of ${id} is ${status}, expected ${expectedTaskStatus}`];
    });
    return [
      ...differences('query', expected, agents),
      ...differences('subscription', expected, [...subscribed.agents.values()]),
      ...wrongTasks,
      ...problems,
    ];
  };
  try {
    await waitUntil(
      async () => {
        left = await compare();
        return left.length === 0;
      },
      { state: () => left, failure: () => (app.ended.aborted ? 'ended' : null), intervalMs: COMPARISON_INTERVAL_MS },
    );
    return [];
  } catch {
    return left.length === 0 ? ['swarmlens does not answer'] : left;
  }
}

function differences(
  where: string,
  expected: readonly ExpectedAgent[],
  found: readonly WatchedAgent[],
): readonly string[] {
  const lines = expected.flatMap((one) => {
    const agent = found.find(({ nativeId }) => nativeId === one.nativeId);
    const [wanted, seen] = [JSON.stringify(one), JSON.stringify(agent === undefined ? null : comparable(agent))];
    return wanted === seen ? [] : [`${where}: ${seen}, expected ${wanted}`];
  });
  return found.length === expected.length
    ? lines
    : [...lines, `${where}: ${found.length} agents, not ${expected.length}`];
}

function comparable({ nativeId, parentId, status, activity, usage, context }: WatchedAgent): ExpectedAgent {
  return {
    nativeId,
    parentNativeId: parentId === null ? null : parentId.slice(SERVER.length + 1),
    status,
    kind: activity?.kind ?? null,
    label: activity?.label ?? null,
    waitingFor: activity?.waitingFor ?? null,
    totalTokens: usage?.totalTokens ?? -1,
    usedTokens: context?.usedTokens ?? -1,
  };
}

/** Takes samples until `signal` is aborted. */
async function sample(app: AppProcess, observer: number, samples: Sample[], signal: AbortSignal): Promise<void> {
  for (let second = 0; !signal.aborted && !app.ended.aborted; second += 1) {
    app.sample();
    await sleep(systemClock, SAMPLE_INTERVAL_MS, signal);
    const memory = app.memory.at(-1);
    if (memory === undefined) continue;
    samples.push({
      second,
      coreRss: memory.rss,
      coreHeap: memory.heapUsed,
      coreFiles: await openFiles(app.pid),
      observerRss: await residentBytes(observer),
      observerFiles: await openFiles(observer),
    });
  }
}

/** Returns the id of the observer, which is a child of swarmlens. */
async function observerPid(parent: number): Promise<number> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // The parent follows the name in parentheses and the state.
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('observe')) return Number(name);
  }
  throw new Error('The observer does not run. The soak needs /proc.');
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1_024;
}

/** Returns the number of open file descriptors. Files that are being read are not counted. */
async function openFiles(pid: number): Promise<number> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => null)));
  return targets.filter((target) => target !== null && !/\.jsonl?$/.test(target)).length;
}
