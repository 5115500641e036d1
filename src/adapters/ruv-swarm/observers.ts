import type { PolledTool } from '../polled-tool.js';
import {
  isUnfiltered,
  withResponsePart,
  type ObservedCall,
  type CallObserver,
  responsePart,
  upsertRecord,
} from '../observed-call.js';
import type { RecordReader } from '../responses/record-reader.js';
import { parseAgent, parseSwarm, parseTask, type RuvSwarmAgent, type RuvSwarmStatus } from './responses.js';
import type { ObservedFacts } from './observed-facts.js';
import type { SwarmMembers } from './swarm-members.js';
import type { TaskList } from '../responses/task-list.js';

/** Polled tools of ruv-swarm, which observed calls update. */
export interface RuvSwarmTools {
  readonly records: RecordReader;
  readonly agents: PolledTool<RuvSwarmAgent[]>;
  readonly swarms: PolledTool<RuvSwarmStatus[]>;
  readonly tasks: PolledTool<TaskList>;
  readonly members: SwarmMembers;
  readonly facts: ObservedFacts;
}

/** Observers of ruv-swarm's tools. */
export const RUV_SWARM_OBSERVERS: ReadonlyMap<string, CallObserver<RuvSwarmTools>> = new Map<
  string,
  CallObserver<RuvSwarmTools>
>([
  ['agent_list', applyAgentList],
  ['agent_spawn', applySpawn],
  [
    'swarm_status',
    (call, tools) =>
      isUnfiltered(call.args, 'verbose')
        ? tools.swarms.accept(call.answer)
        : isUnfiltered(call.args, 'verbose', 'swarmId') && applySwarm(call, tools, call.answer),
  ],
  ['swarm_init', applyCreatedSwarm],
  ['daa_agent_create', ({ location, answer }, { facts }) => facts.addDaaAgent(location, answer)],
  ['daa_agent_adapt', applyPattern],
  ['daa_cognitive_pattern', applyPattern],
  [
    'task_status',
    (call, tools) =>
      isUnfiltered(call.args, 'detailed')
        ? tools.tasks.accept(call.answer)
        : isUnfiltered(call.args, 'detailed', 'taskId') && applyTask(call, tools, call.answer),
  ],
  [
    'task_orchestrate',
    (call, tools) =>
      applyTask(call, tools, {
        id: responsePart(call.answer, 'taskId'),
        status: responsePart(call.answer, 'status'),
        assignedAgents: responsePart(call.answer, 'assigned_agents'),
        description: responsePart(call.answer, 'description'),
        swarmId: responsePart(responsePart(call.answer, 'swarm_info'), 'id'),
      }),
  ],
]);

/** Applies the complete agent list, or the members of one swarm. */
function applyAgentList({ args, answer }: ObservedCall, { agents, members }: RuvSwarmTools): boolean {
  const { filter, ...rest } = args;
  if (filter != null && filter !== 'all') return false;
  if (isUnfiltered(rest)) return agents.accept(answer);
  const { swarmId } = rest;
  return typeof swarmId === 'string' && isUnfiltered(rest, 'swarmId') && members.accept(swarmId, answer);
}

/** Adds a spawned agent and its swarm, which is not necessarily the newest one. */
function applySpawn(call: ObservedCall, tools: RuvSwarmTools): boolean {
  const agentCall = withResponsePart(call, 'agent');
  const agent = parseAgent(tools.records, agentCall.location, agentCall.answer);
  if (agent === null) return false;
  const hasChanged = tools.agents.update((agents) => upsertRecord(agents, agent, ({ id }) => id === agent.id));
  const { location, answer: info } = withResponsePart(call, 'swarm_info');
  if (info == null) return hasChanged;
  const entry = { id: responsePart(info, 'id'), agents: { total: responsePart(info, 'agent_count') } };
  const swarm = parseSwarm(tools.records, location, entry);
  if (swarm === null) return hasChanged;
  tools.members.addMember(agent.id, swarm.id);
  return tools.swarms.update((swarms) => withSwarm(swarms, swarm)) || hasChanged;
}

function applyCreatedSwarm(call: ObservedCall, tools: RuvSwarmTools): boolean {
  const hasChanged = applySwarm(call, tools, { id: responsePart(call.answer, 'id') });
  if (hasChanged) tools.facts.addSwarm(call.location, call.answer);
  return hasChanged;
}

/** Applies the new pattern of a DAA agent. The analysis of patterns returns none. */
function applyPattern({ answer }: ObservedCall, { facts }: RuvSwarmTools): boolean {
  return facts.changePattern(responsePart(answer, 'agent_id'), responsePart(answer, 'new_pattern'));
}

function applySwarm({ location }: ObservedCall, { records, swarms }: RuvSwarmTools, entry: unknown): boolean {
  const swarm = parseSwarm(records, location, entry);
  return swarm !== null && swarms.update((list) => withSwarm(list, swarm));
}

/** Returns the list with a swarm updated. Values missing in the update stay unchanged. */
function withSwarm(swarms: readonly RuvSwarmStatus[], update: RuvSwarmStatus): RuvSwarmStatus[] {
  const previous = swarms.find(({ id }) => id === update.id);
  const swarm = { id: update.id, agents: update.agents ?? previous?.agents, tasks: update.tasks ?? previous?.tasks };
  return upsertRecord(swarms, swarm, ({ id }) => id === update.id);
}

function applyTask({ location }: ObservedCall, { records, tasks }: RuvSwarmTools, entry: unknown): boolean {
  const task = parseTask(records, location, entry);
  return task !== null && tasks.update((list) => list.withTask(task));
}
