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
import type { SwarmMembers } from './swarm-members.js';
import type { TaskCounter } from '../responses/task-counter.js';

export interface RuvSwarmTools {
  readonly records: RecordReader;
  readonly agents: PolledTool<RuvSwarmAgent[]>;
  readonly swarms: PolledTool<RuvSwarmStatus[]>;
  readonly tasks: PolledTool<TaskCounter>;
  readonly members: SwarmMembers;
}

/**
 * What the answers of ruv-swarm's tools say. A DAA agent (`daa_agent_create`) is not shown: no list has it, so that
 * nobody would ever learn of its end.
 */
export const RUV_SWARM_OBSERVERS: ReadonlyMap<string, CallObserver<RuvSwarmTools>> = new Map<
  string,
  CallObserver<RuvSwarmTools>
>([
  ['agent_list', listed],
  ['agent_spawn', spawned],
  [
    'swarm_status',
    (call, lanes) =>
      isUnfiltered(call.args, 'verbose')
        ? lanes.swarms.accept(call.answer)
        : isUnfiltered(call.args, 'verbose', 'swarmId') && swarmTold(call, lanes, call.answer),
  ],
  // Of a swarm, the adapter shows no more than `swarm_status` says, so that its topology does not come and go.
  ['swarm_init', (call, lanes) => swarmTold(call, lanes, { id: responsePart(call.answer, 'id') })],
  [
    'task_status',
    (call, lanes) =>
      isUnfiltered(call.args, 'detailed')
        ? lanes.tasks.accept(call.answer)
        : isUnfiltered(call.args, 'detailed', 'taskId') && taskTold(call, lanes, call.answer),
  ],
  [
    'task_orchestrate',
    (call, lanes) =>
      taskTold(call, lanes, {
        id: responsePart(call.answer, 'taskId'),
        status: responsePart(call.answer, 'status'),
        assignedAgents: responsePart(call.answer, 'assigned_agents'),
      }),
  ],
]);

/** The whole list, or that of one swarm's members. */
function listed({ args, answer }: ObservedCall, { agents, members }: RuvSwarmTools): boolean {
  const { filter, ...others } = args;
  if (filter != null && filter !== 'all') return false;
  if (isUnfiltered(others)) return agents.accept(answer);
  const { swarmId } = others;
  return typeof swarmId === 'string' && isUnfiltered(others, 'swarmId') && members.accept(swarmId, answer);
}

/** The answer also names the swarm, which need not be the one that was last begun. */
function spawned(call: ObservedCall, lanes: RuvSwarmTools): boolean {
  const born = withResponsePart(call, 'agent');
  const agent = parseAgent(lanes.records, born.place, born.answer);
  if (agent === null) return false;
  const isTaken = lanes.agents.update((agents) => upsertRecord(agents, agent, ({ id }) => id === agent.id));
  const { place, answer: info } = withResponsePart(call, 'swarm_info');
  if (info == null) return isTaken;
  const told = { id: responsePart(info, 'id'), agents: { total: responsePart(info, 'agent_count') } };
  const swarm = parseSwarm(lanes.records, place, told);
  if (swarm === null) return isTaken;
  lanes.members.addMember(agent.id, swarm.id);
  return lanes.swarms.update((swarms) => withSwarm(swarms, swarm)) || isTaken;
}

function swarmTold({ place }: ObservedCall, { records, swarms }: RuvSwarmTools, entry: unknown): boolean {
  const swarm = parseSwarm(records, place, entry);
  return swarm !== null && swarms.update((list) => withSwarm(list, swarm));
}

/** What is not told of a swarm stays as it was. */
function withSwarm(swarms: readonly RuvSwarmStatus[], told: RuvSwarmStatus): RuvSwarmStatus[] {
  const known = swarms.find(({ id }) => id === told.id);
  const swarm = { id: told.id, agents: told.agents ?? known?.agents, tasks: told.tasks ?? known?.tasks };
  return upsertRecord(swarms, swarm, ({ id }) => id === told.id);
}

function taskTold({ place }: ObservedCall, { records, tasks }: RuvSwarmTools, entry: unknown): boolean {
  const task = parseTask(records, place, entry);
  return task !== null && tasks.update((tally) => tally.withTask(task));
}
