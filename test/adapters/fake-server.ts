import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
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
import { ToolPolicy } from '../../src/tap/tool-policy.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { ManualClock } from '../support/manual-clock.js';

export type Recorder = 'claude-flow' | 'claude-flow-2' | 'ruv-swarm';
type Args = Readonly<Record<string, unknown>>;
/** Value, error to throw, or function that returns one of them for the arguments of a call. */
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
  // Recorded by this project; the README beside the recordings describes them.
  return JSON.parse(readFileSync(file, 'utf8')) as Recording;
}

/** Returns the recorded response of a real server: the decoded value, or the error of a JSON-RPC error. */
export function recorded(server: Recorder, name: string): object {
  const { response } = recording(server, name);
  if (response.error !== undefined) return new ToolRejectedError(response.error.message, response.error.code);
  // Every recorded tool returns an object.
  return JSON.parse(response.result?.content[0]?.text ?? '{}') as object;
}

export type Call = Extract<SessionEvent, { readonly kind: 'CALL' }>;

/** Returns a recorded call of a real server. */
export function recordedCall(server: Recorder, name: string): Call {
  const { tool, input } = recording(server, name);
  const value = recorded(server, name);
  const answer = value instanceof Error ? { isError: true, value: value.message } : { isError: false, value };
  return { kind: 'CALL', tool, args: input, answer };
}

/** Returns all recorded tool calls of a real server. */
export function recordedCalls(server: Recorder): Call[] {
  const files = readdirSync(new URL(`../fixtures/mcp/${server}/`, import.meta.url));
  const names = files.map((file) => file.replace(/\.json$/, '')).filter((name) => !name.startsWith('_'));
  return names.map((name) => recordedCall(server, name));
}

/** Policy of a tap without `--allow-tools`. */
const TAP_POLICY = new ToolPolicy([]);

/** Server that returns the responses of the test and records the calls. */
class FakeServer implements ToolCaller {
  readonly calls: { readonly tool: string; readonly args: Args; readonly atMs: number }[] = [];
  readonly answers: Map<string, Answer>;
  readonly #clock: ManualClock;
  readonly #isTappable: boolean;
  #inFlight = 0;
  /** Highest number of concurrent calls. */
  mostInFlight = 0;

  /** @param isTappable whether the adapter may only make calls that a tap permits by default */
  constructor(answers: Readonly<Record<string, Answer>>, clock: ManualClock, isTappable: boolean) {
    this.answers = new Map(Object.entries(answers));
    this.#clock = clock;
    this.#isTappable = isTappable;
  }

  async callTool(tool: string, args: Args, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    if (this.#isTappable)
      expect(TAP_POLICY.findRefusal({ method: 'tools/call', params: { name: tool, arguments: args } })).toBeNull();
    this.calls.push({ tool, args, atMs: this.#clock.monotonic() });
    this.#inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    try {
      await Promise.resolve();
      const answer = this.answers.get(tool);
      // `Answer` defines the type of a function here.
      const value: unknown = typeof answer === 'function' ? (answer as (args: Args) => unknown)(args) : answer;
      if (value instanceof Error) throw value;
      return value;
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Returns the answer under the URI, as for a tool. */
  readResource(uri: string, signal: AbortSignal): Promise<unknown> {
    return this.callTool(uri, {}, signal);
  }

  timesAsked(tool: string): number {
    return this.calls.filter((call) => call.tool === tool).length;
  }
}

interface LogLine {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Logger that records warnings. */
function recordingLogger(lines: LogLine[]): Logger {
  const warn = (fields: LogLine['fields'], message: string): void => void lines.push({ fields, message });
  // Adapters log warnings only, so the other levels are silent.
  return Object.assign(Object.create(silentLogger) as Logger, { warn });
}

export interface Rig {
  readonly adapter: Adapter;
  readonly server: FakeServer;
  readonly clock: ManualClock;
  readonly log: LogLine[];
  poll(): Promise<ServerReport>;
}

/**
 * Creates an adapter for a server that offers exactly the tools with a response.
 * @param kind whether it is a simulator, and where it keeps its state. @default a simulator
 */
export function rigOf(
  type: McpServerType,
  answers: Readonly<Record<string, Answer>>,
  mapping?: ServerMapping,
  kind: Pick<AdapterContext, 'simulated' | 'projectDirectory' | 'hasResources'> = { simulated: true },
): Rig {
  const clock = new ManualClock();
  const server = new FakeServer(answers, clock, type !== 'CUSTOM');
  const log: LogLine[] = [];
  const context: AdapterContext = {
    serverId: 'server',
    tools: new Set(Object.keys(answers)),
    mapping,
    ...kind,
    caller: server,
    maxEntries: 10_000,
    clock,
    logger: recordingLogger(log),
  };
  const adapter = createAdapter(type, context);
  return { adapter, server, clock, log, poll: () => adapter.poll(new AbortController().signal) };
}

/**
 * Returns the agent with an id.
 * @throws Error if there is none
 */
export function agentIn(report: ServerReport, nativeId: string) {
  const agent = report.agents.find((one) => one.nativeId === nativeId);
  if (agent === undefined)
    throw new Error(`no agent ${nativeId} among ${report.agents.map((one) => one.nativeId).join(', ')}`);
  return agent;
}

/** Recorded responses of all tools that the adapters use. */
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

/** Responses in the shapes of the DAA server's source, because there is no recording of it. */
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
