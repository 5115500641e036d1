import {
  type ClaudeFlowAgent,
  type ClaudeFlowDaaAgent,
  type ClaudeFlowSwarm,
  type Hive,
  MAX_TASKS,
  parseAgent,
  parseDaaAgent,
  parseCreatedSwarm,
  parseSpawnedAgents,
  parseTask,
  TERMINATED,
} from './responses.js';
import type { CognitivePatterns } from './cognitive-patterns.js';
import type { PolledTool } from '../polled-tool.js';
import { expectObject } from '../responses/parse-response.js';
import {
  isUnfiltered,
  withResponsePart,
  type ObservedCall,
  type CallObserver,
  responsePart,
  upsertRecord,
} from '../observed-call.js';
import type { RecordReader } from '../responses/record-reader.js';
import { TaskList } from '../responses/task-list.js';

/** Polled tools of claude-flow, which observed calls update. */
export interface ClaudeFlowTools {
  readonly records: RecordReader;
  readonly agents: PolledTool<ClaudeFlowAgent[]>;
  readonly hive: PolledTool<Hive | null>;
  readonly daaAgents: PolledTool<ClaudeFlowDaaAgent[]>;
  readonly swarms: PolledTool<readonly ClaudeFlowSwarm[]>;
  readonly tasks: PolledTool<TaskList>;
  readonly patterns: CognitivePatterns;
}

type ClaudeFlowObserver = CallObserver<ClaudeFlowTools>;

/**
 * Observers of claude-flow's tools. Omits `hive-mind_init`, because its `hiveId` differs from that of
 * `hive-mind_status`.
 */
export const CLAUDE_FLOW_OBSERVERS: ReadonlyMap<string, ClaudeFlowObserver> = new Map<string, ClaudeFlowObserver>([
  ['agent_list', ({ args, answer }, { agents }) => isUnfiltered(args) && agents.accept(answer)],
  ['agent_spawn', applySpawn],
  ['agent_status', applyAgent],
  ['agent_update', (call, tools) => applyAgent(withResponsePart(call, 'agent'), tools)],
  ['agent_terminate', applyTermination],
  ['hive-mind_status', ({ args, answer }, { hive }) => isUnfiltered(args, 'verbose') && hive.accept(answer)],
  ['hive-mind_spawn', applySpawnedWorkers],
  ['daa_learning_status', applyLearningStatus],
  ['daa_agent_create', (call, tools) => applyCreatedDaaAgent(withResponsePart(call, 'agent'), tools)],
  ['daa_agent_adapt', applyAdaptation],
  [
    'daa_cognitive_pattern',
    ({ args, answer }, { patterns }) =>
      (args['action'] == null || args['action'] === 'analyze') && patterns.accept(answer),
  ],
  ['swarm_status', ({ args, answer }, { swarms }) => isUnfiltered(args) && swarms.accept(answer)],
  ['swarm_init', applyCreatedSwarm],
  ['task_list', applyTaskList],
  ['task_orchestrate', applyOrchestratedTask],
  ...['task_create', 'task_status', 'task_update', 'task_assign', 'task_complete', 'task_cancel'].map(
    (tool): [string, ClaudeFlowObserver] => [tool, applyTask],
  ),
]);

/** Adds a spawned agent. Replaces an agent with the same id. */
function applySpawn({ location, args, answer }: ObservedCall, tools: ClaudeFlowTools): boolean {
  const entry = { agentType: toText(args['agentType']), ...expectObject(answer) };
  const agent = parseAgent(tools.records, location, entry);
  return agent !== null && tools.agents.update((agents) => upsertRecord(agents, agent, sameAgent(agent.agentId)));
}

/** Updates an agent. Values missing in the response stay unchanged. */
function applyAgent({ location, answer }: ObservedCall, tools: ClaudeFlowTools): boolean {
  const agent = parseAgent(tools.records, location, answer);
  if (agent === null) return false;
  if (agent.status === TERMINATED) return endAgent(agent.agentId, tools);
  return tools.agents.update((agents) => {
    const previous = agents.find(sameAgent(agent.agentId));
    return upsertRecord(agents, fillMissing(agent, previous), sameAgent(agent.agentId));
  });
}

function applyTermination({ location, answer }: ObservedCall, tools: ClaudeFlowTools): boolean {
  const agent = parseAgent(tools.records, location, answer);
  return agent !== null && responsePart(answer, 'terminated') === true && endAgent(agent.agentId, tools);
}

/** Removes a terminated agent from the list and marks it in the hive, which may still contain it. */
function endAgent(agentId: string, { agents, hive }: ClaudeFlowTools): boolean {
  const hasChanged = agents.update((list) => list.filter((agent) => agent.agentId !== agentId));
  hive.update((last) => {
    const workers = last?.workers.map((worker) => (worker.id === agentId ? { ...worker, status: TERMINATED } : worker));
    return last === null || workers === undefined ? last : { ...last, workers };
  });
  return hasChanged;
}

/** Adds spawned workers to the agent list and the hive. Ignores `role`, which has another meaning in this response. */
function applySpawnedWorkers({ location, args, answer }: ObservedCall, tools: ClaudeFlowTools): boolean {
  const spawned = parseSpawnedAgents(
    tools.records,
    { ...location, path: 'answer.workers' },
    answer,
    toText(args['agentType']),
  );
  for (const agent of spawned) {
    const { agentId: id, agentType: type, status } = agent;
    tools.agents.update((agents) => upsertRecord(agents, agent, sameAgent(id)));
    tools.hive.update((hive) => {
      const worker = { id, type, status };
      return hive === null
        ? null
        : { ...hive, workers: upsertRecord(hive.workers, worker, (entry) => entry.id === id) };
    });
  }
  return spawned.length > 0;
}

/** Adds a DAA agent. Ignores its name and type, which the polled list does not contain either. */
function applyCreatedDaaAgent({ location, answer }: ObservedCall, tools: ClaudeFlowTools): boolean {
  const entry = { id: responsePart(answer, 'id'), status: responsePart(answer, 'status') };
  const agent = parseDaaAgent(tools.records, location, entry);
  return (
    agent !== null && tools.daaAgents.update((agents) => upsertRecord(agents, agent, (entry) => entry.id === agent.id))
  );
}

function applyAdaptation(call: ObservedCall, tools: ClaudeFlowTools): boolean {
  const { answer } = call;
  const adaptation = responsePart(answer, 'adaptation');
  return applyDaaAgent(call, tools, {
    id: responsePart(answer, 'agentId'),
    status: responsePart(answer, 'status'),
    successRate: responsePart(adaptation, 'newSuccessRate'),
    adaptations: responsePart(adaptation, 'adaptations'),
  });
}

function applyLearningStatus(call: ObservedCall, tools: ClaudeFlowTools): boolean {
  if (isUnfiltered(call.args)) return tools.daaAgents.accept(call.answer);
  if (call.args['agentId'] == null) return false;
  const agentCall = withResponsePart(call, 'agent');
  const metrics = responsePart(agentCall.answer, 'metrics');
  return applyDaaAgent(agentCall, tools, {
    id: responsePart(agentCall.answer, 'id'),
    status: responsePart(agentCall.answer, 'status'),
    successRate: responsePart(metrics, 'successRate'),
    adaptations: responsePart(metrics, 'adaptations'),
  });
}

/** Updates a DAA agent. Values missing in the response stay unchanged. */
function applyDaaAgent({ location }: ObservedCall, { records, daaAgents }: ClaudeFlowTools, entry: unknown): boolean {
  const agent = parseDaaAgent(records, location, entry);
  if (agent === null) return false;
  const isSame = ({ id }: ClaudeFlowDaaAgent): boolean => id === agent.id;
  return daaAgents.update((agents) => upsertRecord(agents, fillMissing(agent, agents.find(isSame)), isSame));
}

/** Replaces the swarms by a created one, because `swarm_status` also reports only the newest one. */
function applyCreatedSwarm({ location, answer }: ObservedCall, { records, swarms }: ClaudeFlowTools): boolean {
  const created = parseCreatedSwarm(records, location, answer);
  return created !== null && swarms.update(() => [created], []);
}

/** Applies a task list if it is complete. Without a limit, the tool returns only the 50 newest tasks. */
function applyTaskList({ args, answer }: ObservedCall, { tasks }: ClaudeFlowTools): boolean {
  const limit = args['limit'] ?? DEFAULT_LIMIT;
  const entries = responsePart(answer, 'tasks');
  const isIncomplete =
    typeof limit !== 'number' || (Array.isArray(entries) && entries.length >= Math.min(limit, MAX_TASKS));
  return !isIncomplete && isUnfiltered(args, 'limit') && tasks.accept(answer);
}

function applyTask({ location, answer }: ObservedCall, { records, tasks }: ClaudeFlowTools): boolean {
  const task = parseTask(records, location, answer);
  return task !== null && tasks.update((list) => list.withTask(task));
}

/** Adds a task of version 2, which cannot list its tasks. */
function applyOrchestratedTask(call: ObservedCall, { records, tasks }: ClaudeFlowTools): boolean {
  const { location, answer } = call;
  const entry = {
    taskId: responsePart(answer, 'taskId'),
    status: responsePart(answer, 'status'),
    description: responsePart(answer, 'task'),
    createdAt: responsePart(answer, 'timestamp'),
  };
  const task = parseTask(records, location, entry);
  return task !== null && tasks.update((list) => list.withTask(task), OBSERVED_TASKS);
}

/** Tasks of a server without a list: those that were observed. */
const OBSERVED_TASKS = new TaskList([], false);

/** Default limit of `task_list`. */
const DEFAULT_LIMIT = 50;

function sameAgent(agentId: string): (agent: ClaudeFlowAgent) => boolean {
  return (agent) => agent.agentId === agentId;
}

/** Replaces null values of a record with those of the previous one. */
function fillMissing<T extends object>(record: T, previous: T | undefined): T {
  const present = Object.entries(record).filter(([, value]: readonly [string, unknown]) => !isMissing(value));
  return previous === undefined ? record : { ...previous, ...Object.fromEntries(present) };
}

function isMissing(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
