import {
  type FlowAgent,
  type FlowDaaAgent,
  type FlowSwarm,
  type Hive,
  MAX_TASKS,
  readAgent,
  readDaaAgent,
  readNewSwarm,
  readSpawned,
  readTask,
} from './claude-flow-answers.js';
import type { CognitivePatterns } from './cognitive-patterns.js';
import { type Lane, objectAnswer } from './lanes.js';
import { asksForAll, inPart, type ObservedCall, type Observer, partOf, withRecord } from './observed.js';
import type { RecordReader } from './records.js';
import type { TaskTally } from './tasks.js';

export interface ClaudeFlowLanes {
  readonly records: RecordReader;
  readonly agents: Lane<FlowAgent[]>;
  readonly hive: Lane<Hive | null>;
  readonly daaAgents: Lane<FlowDaaAgent[]>;
  readonly swarm: Lane<FlowSwarm>;
  readonly tasks: Lane<TaskTally | null>;
  readonly patterns: CognitivePatterns;
}

type FlowObserver = Observer<ClaudeFlowLanes>;

/**
 * What the answers of claude-flow's tools say. Not here: `hive-mind_init`, whose `hiveId` is another one than
 * `hive-mind_status` then gives.
 */
export const CLAUDE_FLOW_OBSERVERS: ReadonlyMap<string, FlowObserver> = new Map<string, FlowObserver>([
  ['agent_list', ({ args, answer }, { agents }) => asksForAll(args) && agents.take(answer)],
  ['agent_spawn', spawned],
  ['agent_status', agentTold],
  ['agent_update', (call, lanes) => agentTold(inPart(call, 'agent'), lanes)],
  ['agent_terminate', terminated],
  ['hive-mind_status', ({ args, answer }, { hive }) => asksForAll(args, 'verbose') && hive.take(answer)],
  ['hive-mind_spawn', workersSpawned],
  ['daa_learning_status', learningTold],
  ['daa_agent_create', (call, lanes) => daaAgentCreated(inPart(call, 'agent'), lanes)],
  ['daa_agent_adapt', daaAgentAdapted],
  [
    'daa_cognitive_pattern',
    ({ args, answer }, { patterns }) =>
      (args['action'] == null || args['action'] === 'analyze') && patterns.take(answer),
  ],
  ['swarm_status', ({ args, answer }, { swarm }) => asksForAll(args) && swarm.take(answer)],
  ['swarm_init', swarmBegun],
  ['task_list', tasksListed],
  ...['task_create', 'task_status', 'task_update', 'task_assign', 'task_complete', 'task_cancel'].map(
    (tool): [string, FlowObserver] => [tool, taskTold],
  ),
]);

/** An agent that is spawned under an id that is taken takes its place. */
function spawned({ place, args, answer }: ObservedCall, lanes: ClaudeFlowLanes): boolean {
  const entry = { agentType: textOf(args['agentType']), ...objectAnswer(answer) };
  const agent = readAgent(lanes.records, place, entry);
  return agent !== null && lanes.agents.amend((agents) => withRecord(agents, agent, sameAgent(agent.agentId)));
}

/** What is not told of an agent stays as it was. */
function agentTold({ place, answer }: ObservedCall, lanes: ClaudeFlowLanes): boolean {
  const agent = readAgent(lanes.records, place, answer);
  if (agent === null) return false;
  if (agent.status === TERMINATED) return ended(agent.agentId, lanes);
  return lanes.agents.amend((agents) => {
    const known = agents.find(sameAgent(agent.agentId));
    return withRecord(agents, filledIn(agent, known), sameAgent(agent.agentId));
  });
}

function terminated({ place, answer }: ObservedCall, lanes: ClaudeFlowLanes): boolean {
  const agent = readAgent(lanes.records, place, answer);
  return agent !== null && partOf(answer, 'terminated') === true && ended(agent.agentId, lanes);
}

/** The list leaves terminated agents out. Whether the hive does is not told: there it is shown as what it is. */
function ended(agentId: string, { agents, hive }: ClaudeFlowLanes): boolean {
  const isUnlisted = agents.amend((list) => list.filter((one) => one.agentId !== agentId));
  hive.amend((last) => {
    const workers = last?.workers.map((one) => (one.id === agentId ? { ...one, status: TERMINATED } : one));
    return last === null || workers === undefined ? last : { ...last, workers };
  });
  return isUnlisted;
}

/** Workers are in the list of agents too. Their role in the answer is another one than the picture's. */
function workersSpawned({ place, args, answer }: ObservedCall, lanes: ClaudeFlowLanes): boolean {
  const born = readSpawned(lanes.records, { ...place, path: 'answer.workers' }, answer, textOf(args['agentType']));
  for (const agent of born) {
    const { agentId: id, agentType: type, status } = agent;
    lanes.agents.amend((agents) => withRecord(agents, agent, sameAgent(id)));
    lanes.hive.amend((hive) => {
      const worker = { id, type, status, tasksCompleted: null };
      return hive === null ? null : { ...hive, workers: withRecord(hive.workers, worker, (one) => one.id === id) };
    });
  }
  return born.length > 0;
}

/** The list does not name a DAA agent, nor say its type, and so neither does the picture. */
function daaAgentCreated({ place, answer }: ObservedCall, lanes: ClaudeFlowLanes): boolean {
  const agent = readDaaAgent(lanes.records, place, answer);
  return agent !== null && lanes.daaAgents.amend((agents) => withRecord(agents, agent, (one) => one.id === agent.id));
}

function daaAgentAdapted(call: ObservedCall, lanes: ClaudeFlowLanes): boolean {
  const { answer } = call;
  const adaptation = partOf(answer, 'adaptation');
  return daaAgentTold(call, lanes, {
    id: partOf(answer, 'agentId'),
    status: partOf(answer, 'status'),
    successRate: partOf(adaptation, 'newSuccessRate'),
    adaptations: partOf(adaptation, 'adaptations'),
  });
}

function learningTold(call: ObservedCall, lanes: ClaudeFlowLanes): boolean {
  if (asksForAll(call.args)) return lanes.daaAgents.take(call.answer);
  if (call.args['agentId'] == null) return false;
  const one = inPart(call, 'agent');
  const metrics = partOf(one.answer, 'metrics');
  return daaAgentTold(one, lanes, {
    id: partOf(one.answer, 'id'),
    status: partOf(one.answer, 'status'),
    successRate: partOf(metrics, 'successRate'),
    adaptations: partOf(metrics, 'adaptations'),
  });
}

/** What is not told of a DAA agent stays as it was. */
function daaAgentTold({ place }: ObservedCall, { records, daaAgents }: ClaudeFlowLanes, entry: unknown): boolean {
  const agent = readDaaAgent(records, place, entry);
  if (agent === null) return false;
  const isSame = ({ id }: FlowDaaAgent): boolean => id === agent.id;
  return daaAgents.amend((agents) => withRecord(agents, filledIn(agent, agents.find(isSame)), isSame));
}

function swarmBegun({ place, answer }: ObservedCall, { records, swarm }: ClaudeFlowLanes): boolean {
  const begun = readNewSwarm(records, place, answer);
  return begun !== null && swarm.amend(() => begun);
}

/** Of use only when it is complete: the tool returns its 50 newest tasks unless a limit is given. */
function tasksListed({ args, answer }: ObservedCall, { tasks }: ClaudeFlowLanes): boolean {
  const limit = args['limit'] ?? DEFAULT_LIMIT;
  const listed = partOf(answer, 'tasks');
  const isCut = typeof limit !== 'number' || (Array.isArray(listed) && listed.length >= Math.min(limit, MAX_TASKS));
  return !isCut && asksForAll(args, 'limit') && tasks.take(answer);
}

function taskTold({ place, answer }: ObservedCall, { records, tasks }: ClaudeFlowLanes): boolean {
  const task = readTask(records, place, answer);
  return task !== null && tasks.amend((tally) => tally?.with(task) ?? null);
}

const TERMINATED = 'terminated';
/** Of `task_list`. */
const DEFAULT_LIMIT = 50;

function sameAgent(agentId: string): (one: FlowAgent) => boolean {
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
