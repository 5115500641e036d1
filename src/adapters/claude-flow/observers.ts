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
} from './responses.js';
import type { CognitivePatterns } from './cognitive-patterns.js';
import { type PolledTool, expectObject } from '../polled-tool.js';
import {
  isUnfiltered,
  withResponsePart,
  type ObservedCall,
  type CallObserver,
  responsePart,
  upsertRecord,
} from '../observed-call.js';
import type { RecordReader } from '../responses/record-reader.js';
import type { TaskCounter } from '../responses/task-counter.js';

export interface ClaudeFlowTools {
  readonly records: RecordReader;
  readonly agents: PolledTool<ClaudeFlowAgent[]>;
  readonly hive: PolledTool<Hive | null>;
  readonly daaAgents: PolledTool<ClaudeFlowDaaAgent[]>;
  readonly swarm: PolledTool<ClaudeFlowSwarm>;
  readonly tasks: PolledTool<TaskCounter | null>;
  readonly patterns: CognitivePatterns;
}

type FlowObserver = CallObserver<ClaudeFlowTools>;

/**
 * What the answers of claude-flow's tools say. Not here: `hive-mind_init`, whose `hiveId` is another one than
 * `hive-mind_status` then gives.
 */
export const CLAUDE_FLOW_OBSERVERS: ReadonlyMap<string, FlowObserver> = new Map<string, FlowObserver>([
  ['agent_list', ({ args, answer }, { agents }) => isUnfiltered(args) && agents.accept(answer)],
  ['agent_spawn', spawned],
  ['agent_status', agentTold],
  ['agent_update', (call, lanes) => agentTold(withResponsePart(call, 'agent'), lanes)],
  ['agent_terminate', terminated],
  ['hive-mind_status', ({ args, answer }, { hive }) => isUnfiltered(args, 'verbose') && hive.accept(answer)],
  ['hive-mind_spawn', workersSpawned],
  ['daa_learning_status', learningTold],
  ['daa_agent_create', (call, lanes) => daaAgentCreated(withResponsePart(call, 'agent'), lanes)],
  ['daa_agent_adapt', daaAgentAdapted],
  [
    'daa_cognitive_pattern',
    ({ args, answer }, { patterns }) =>
      (args['action'] == null || args['action'] === 'analyze') && patterns.accept(answer),
  ],
  ['swarm_status', ({ args, answer }, { swarm }) => isUnfiltered(args) && swarm.accept(answer)],
  ['swarm_init', swarmBegun],
  ['task_list', tasksListed],
  ...['task_create', 'task_status', 'task_update', 'task_assign', 'task_complete', 'task_cancel'].map(
    (tool): [string, FlowObserver] => [tool, taskTold],
  ),
]);

/** An agent that is spawned under an id that is taken takes its place. */
function spawned({ place, args, answer }: ObservedCall, lanes: ClaudeFlowTools): boolean {
  const entry = { agentType: textOf(args['agentType']), ...expectObject(answer) };
  const agent = parseAgent(lanes.records, place, entry);
  return agent !== null && lanes.agents.update((agents) => upsertRecord(agents, agent, sameAgent(agent.agentId)));
}

/** What is not told of an agent stays as it was. */
function agentTold({ place, answer }: ObservedCall, lanes: ClaudeFlowTools): boolean {
  const agent = parseAgent(lanes.records, place, answer);
  if (agent === null) return false;
  if (agent.status === TERMINATED) return ended(agent.agentId, lanes);
  return lanes.agents.update((agents) => {
    const known = agents.find(sameAgent(agent.agentId));
    return upsertRecord(agents, filledIn(agent, known), sameAgent(agent.agentId));
  });
}

function terminated({ place, answer }: ObservedCall, lanes: ClaudeFlowTools): boolean {
  const agent = parseAgent(lanes.records, place, answer);
  return agent !== null && responsePart(answer, 'terminated') === true && ended(agent.agentId, lanes);
}

/** The list leaves terminated agents out. Whether the hive does is not told: there it is shown as what it is. */
function ended(agentId: string, { agents, hive }: ClaudeFlowTools): boolean {
  const isUnlisted = agents.update((list) => list.filter((one) => one.agentId !== agentId));
  hive.update((last) => {
    const workers = last?.workers.map((one) => (one.id === agentId ? { ...one, status: TERMINATED } : one));
    return last === null || workers === undefined ? last : { ...last, workers };
  });
  return isUnlisted;
}

/** Workers are in the list of agents too. Their role in the answer is another one than the picture's. */
function workersSpawned({ place, args, answer }: ObservedCall, lanes: ClaudeFlowTools): boolean {
  const born = parseSpawnedAgents(
    lanes.records,
    { ...place, path: 'answer.workers' },
    answer,
    textOf(args['agentType']),
  );
  for (const agent of born) {
    const { agentId: id, agentType: type, status } = agent;
    lanes.agents.update((agents) => upsertRecord(agents, agent, sameAgent(id)));
    lanes.hive.update((hive) => {
      const worker = { id, type, status, tasksCompleted: null };
      return hive === null ? null : { ...hive, workers: upsertRecord(hive.workers, worker, (one) => one.id === id) };
    });
  }
  return born.length > 0;
}

/** The list does not name a DAA agent, nor say its type, and so neither does the picture. */
function daaAgentCreated({ place, answer }: ObservedCall, lanes: ClaudeFlowTools): boolean {
  const agent = parseDaaAgent(lanes.records, place, answer);
  return (
    agent !== null && lanes.daaAgents.update((agents) => upsertRecord(agents, agent, (one) => one.id === agent.id))
  );
}

function daaAgentAdapted(call: ObservedCall, lanes: ClaudeFlowTools): boolean {
  const { answer } = call;
  const adaptation = responsePart(answer, 'adaptation');
  return daaAgentTold(call, lanes, {
    id: responsePart(answer, 'agentId'),
    status: responsePart(answer, 'status'),
    successRate: responsePart(adaptation, 'newSuccessRate'),
    adaptations: responsePart(adaptation, 'adaptations'),
  });
}

function learningTold(call: ObservedCall, lanes: ClaudeFlowTools): boolean {
  if (isUnfiltered(call.args)) return lanes.daaAgents.accept(call.answer);
  if (call.args['agentId'] == null) return false;
  const one = withResponsePart(call, 'agent');
  const metrics = responsePart(one.answer, 'metrics');
  return daaAgentTold(one, lanes, {
    id: responsePart(one.answer, 'id'),
    status: responsePart(one.answer, 'status'),
    successRate: responsePart(metrics, 'successRate'),
    adaptations: responsePart(metrics, 'adaptations'),
  });
}

/** What is not told of a DAA agent stays as it was. */
function daaAgentTold({ place }: ObservedCall, { records, daaAgents }: ClaudeFlowTools, entry: unknown): boolean {
  const agent = parseDaaAgent(records, place, entry);
  if (agent === null) return false;
  const isSame = ({ id }: ClaudeFlowDaaAgent): boolean => id === agent.id;
  return daaAgents.update((agents) => upsertRecord(agents, filledIn(agent, agents.find(isSame)), isSame));
}

function swarmBegun({ place, answer }: ObservedCall, { records, swarm }: ClaudeFlowTools): boolean {
  const begun = parseCreatedSwarm(records, place, answer);
  return begun !== null && swarm.update(() => begun);
}

/** Of use only when it is complete: the tool returns its 50 newest tasks unless a limit is given. */
function tasksListed({ args, answer }: ObservedCall, { tasks }: ClaudeFlowTools): boolean {
  const limit = args['limit'] ?? DEFAULT_LIMIT;
  const listed = responsePart(answer, 'tasks');
  const isCut = typeof limit !== 'number' || (Array.isArray(listed) && listed.length >= Math.min(limit, MAX_TASKS));
  return !isCut && isUnfiltered(args, 'limit') && tasks.accept(answer);
}

function taskTold({ place, answer }: ObservedCall, { records, tasks }: ClaudeFlowTools): boolean {
  const task = parseTask(records, place, answer);
  return task !== null && tasks.update((tally) => tally?.withTask(task) ?? null);
}

const TERMINATED = 'terminated';
/** Of `task_list`. */
const DEFAULT_LIMIT = 50;

function sameAgent(agentId: string): (one: ClaudeFlowAgent) => boolean {
  return (one) => one.agentId === agentId;
}

/** What is told, and of the rest what was known. */
function filledIn<T extends object>(told: T, known: T | undefined): T {
  const said = Object.entries(told).filter(([, value]: readonly [string, unknown]) => value !== null);
  return known === undefined ? told : { ...known, ...Object.fromEntries(said) };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
