import { readdirSync, readFileSync } from 'node:fs';
import {
  type Adapter,
  type AdapterContext,
  createAdapter,
  type ServerMapping,
  type ToolCaller,
} from '../../src/adapters/index.js';
import type { McpServerType, ServerReport } from '../../src/model/index.js';
import { type SessionEvent, ToolRejectedError } from '../../src/mcp/index.js';
import type { Logger } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { ManualClock } from '../support/manual-clock.js';

export type Recorder = 'claude-flow' | 'ruv-swarm';
type Args = Readonly<Record<string, unknown>>;
/** A value, an error to throw, or what makes one of them from the call's arguments. */
export type Answer = unknown;

interface Recording {
  readonly tool: string;
  readonly input: Args;
  readonly response: {
    readonly result?: { readonly content: readonly { readonly text: string }[] };
    readonly error?: { readonly code: number; readonly message: string };
  };
}

function recording(server: Recorder, name: string): Recording {
  const file = new URL(`../fixtures/mcp/${server}/${name}.json`, import.meta.url);
  // The recordings are ours; their README says what they hold.
  return JSON.parse(readFileSync(file, 'utf8')) as Recording;
}

/** What a real server answered: the decoded value, or the error that its JSON-RPC error becomes. */
export function recorded(server: Recorder, name: string): object {
  const { response } = recording(server, name);
  if (response.error !== undefined) return new ToolRejectedError(response.error.message, response.error.code);
  // Every tool that was recorded answers with an object.
  return JSON.parse(response.result?.content[0]?.text ?? '{}') as object;
}

export type Call = Extract<SessionEvent, { readonly kind: 'CALL' }>;

/** Somebody's call of a real server, as it was recorded. */
export function recordedCall(server: Recorder, name: string): Call {
  const { tool, input } = recording(server, name);
  const value = recorded(server, name);
  const answer = value instanceof Error ? { isError: true, value: value.message } : { isError: false, value };
  return { kind: 'CALL', tool, args: input, answer };
}

/** All recorded calls of tools of a real server. */
export function recordedCalls(server: Recorder): Call[] {
  const files = readdirSync(new URL(`../fixtures/mcp/${server}/`, import.meta.url));
  const names = files.map((file) => file.replace(/\.json$/, '')).filter((name) => !name.startsWith('_'));
  return names.map((name) => recordedCall(server, name));
}

/** Answers each tool with what the test put there, and remembers what was asked. */
class FakeServer implements ToolCaller {
  readonly calls: { readonly tool: string; readonly args: Args; readonly atMs: number }[] = [];
  readonly answers: Map<string, Answer>;
  readonly #clock: ManualClock;
  #inFlight = 0;
  /** The most calls that were under way at once. */
  mostInFlight = 0;

  constructor(answers: Readonly<Record<string, Answer>>, clock: ManualClock) {
    this.answers = new Map(Object.entries(answers));
    this.#clock = clock;
  }

  async callTool(tool: string, args: Args, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    this.calls.push({ tool, args, atMs: this.#clock.monotonic() });
    this.#inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    try {
      await Promise.resolve();
      const answer = this.answers.get(tool);
      // `Answer` says what a function here is.
      const value: unknown = typeof answer === 'function' ? (answer as (args: Args) => unknown)(args) : answer;
      if (value instanceof Error) throw value;
      return value;
    } finally {
      this.#inFlight -= 1;
    }
  }

  timesAsked(tool: string): number {
    return this.calls.filter((call) => call.tool === tool).length;
  }
}

interface LogLine {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger whose warnings a test can read. */
function recordingLogger(lines: LogLine[]): Logger {
  const warn = (fields: LogLine['fields'], message: string): void => void lines.push({ fields, message });
  // Adapters only warn; the rest of the logger is the silent one's.
  return Object.assign(Object.create(silentLogger) as Logger, { warn });
}

export interface Rig {
  readonly adapter: Adapter;
  readonly server: FakeServer;
  readonly clock: ManualClock;
  readonly log: LogLine[];
  poll(): Promise<ServerReport>;
}

/** An adapter of the type, in front of a server that offers exactly the tools that have an answer. */
export function rigOf(type: McpServerType, answers: Readonly<Record<string, Answer>>, mapping?: ServerMapping): Rig {
  const clock = new ManualClock();
  const server = new FakeServer(answers, clock);
  const log: LogLine[] = [];
  const context: AdapterContext = {
    serverId: 'server',
    tools: new Set(Object.keys(answers)),
    mapping,
    caller: server,
    clock,
    logger: recordingLogger(log),
  };
  const adapter = createAdapter(type, context);
  return { adapter, server, clock, log, poll: () => adapter.poll(new AbortController().signal) };
}

/** @throws when there is no such agent */
export function agentIn(report: ServerReport, nativeId: string) {
  const agent = report.agents.find((one) => one.nativeId === nativeId);
  if (agent === undefined)
    throw new Error(`no agent ${nativeId} among ${report.agents.map((one) => one.nativeId).join(', ')}`);
  return agent;
}

/** All tools that the adapters know, with a real answer each. */
export const FLOW_ANSWERS = {
  agent_list: recorded('claude-flow', 'agent_list.with-daa'),
  'hive-mind_status': recorded('claude-flow', 'hive-mind_status'),
  daa_learning_status: recorded('claude-flow', 'daa_learning_status'),
  daa_cognitive_pattern: (args: Args) =>
    args['agentId'] === 'daa-1'
      ? recorded('claude-flow', 'daa_cognitive_pattern.one')
      : { success: true, agentId: args['agentId'], currentPattern: 'critical', learningRate: 0.01, metrics: {} },
  swarm_status: recorded('claude-flow', 'swarm_status'),
  task_list: recorded('claude-flow', 'task_list'),
};

export const RUV_ANSWERS = {
  memory_usage: recorded('ruv-swarm', 'memory_usage'),
  agent_list: (args: Args) =>
    args['swarmId'] === 'swarm-1795447692907'
      ? recorded('ruv-swarm', 'agent_list.bySwarm2')
      : recorded('ruv-swarm', 'agent_list.bySwarm1'),
  swarm_status: recorded('ruv-swarm', 'swarm_status.twoSwarms'),
  task_status: recorded('ruv-swarm', 'task_status.empty'),
};

/** In the shapes of the DAA server's source: there is no recording of it. */
export const DAA_ANSWERS = {
  list_agents: {
    agents: [
      {
        id: 'worker-1',
        name: 'Indexer',
        agent_type: 'Researcher',
        status: 'running',
        capabilities: ['search', 'index'],
        endpoint: 'http://127.0.0.1:4001',
        created_at: '2026-11-23T15:02:56.464123456Z',
        last_seen: '2026-11-23T16:02:57.5+01:00',
        metadata: { cpu: 0.93 },
      },
      {
        id: 'worker-2',
        name: 'Writer',
        agent_type: 'writer',
        status: 'paused',
        capabilities: [],
        endpoint: null,
        created_at: '2026-11-23T15:03:00Z',
        last_seen: '2026-11-23T15:03:01Z',
        metadata: {},
      },
    ],
    total_count: 2,
  },
  list_tasks: {
    tasks: [
      { task: { task_id: 't1', assigned_to: 'worker-1' }, result: null, status: 'running' },
      { task: { task_id: 't2', assigned_agents: ['worker-1', 'worker-2'] }, result: {}, status: 'completed' },
      { task: { task_id: 't3', assigned_to: 'worker-2' }, result: { error: 'no' }, status: 'failed' },
      { task: { task_id: 't4', assigned_to: null }, result: null, status: 'pending' },
    ],
    total_count: 4,
  },
  get_swarm_status: { total_agents: 2, active_agents: 1, total_messages: 12 },
};
