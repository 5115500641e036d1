import type { Lane } from './lanes.js';
import { asksForAll, inPart, type ObservedCall, type Observer, partOf, withRecord } from './observed.js';
import type { RecordReader } from './records.js';
import { readAgent, readSwarm, readTask, type RuvAgent, type RuvSwarm } from './ruv-swarm-answers.js';
import type { SwarmMembers } from './ruv-swarm-members.js';
import type { TaskTally } from './tasks.js';

export interface RuvSwarmLanes {
  readonly records: RecordReader;
  readonly agents: Lane<RuvAgent[]>;
  readonly swarms: Lane<RuvSwarm[]>;
  readonly tasks: Lane<TaskTally>;
  readonly members: SwarmMembers;
}

/**
 * What the answers of ruv-swarm's tools say. A DAA agent (`daa_agent_create`) is not shown: no list has it, so that
 * nobody would ever learn of its end.
 */
export const RUV_SWARM_OBSERVERS: ReadonlyMap<string, Observer<RuvSwarmLanes>> = new Map<
  string,
  Observer<RuvSwarmLanes>
>([
  ['agent_list', listed],
  ['agent_spawn', spawned],
  [
    'swarm_status',
    (call, lanes) =>
      asksForAll(call.args, 'verbose')
        ? lanes.swarms.take(call.answer)
        : asksForAll(call.args, 'verbose', 'swarmId') && swarmTold(call, lanes, call.answer),
  ],
  // Of a swarm, the adapter shows no more than `swarm_status` says, so that its topology does not come and go.
  ['swarm_init', (call, lanes) => swarmTold(call, lanes, { id: partOf(call.answer, 'id') })],
  [
    'task_status',
    (call, lanes) =>
      asksForAll(call.args, 'detailed')
        ? lanes.tasks.take(call.answer)
        : asksForAll(call.args, 'detailed', 'taskId') && taskTold(call, lanes, call.answer),
  ],
  [
    'task_orchestrate',
    (call, lanes) =>
      taskTold(call, lanes, {
        id: partOf(call.answer, 'taskId'),
        status: partOf(call.answer, 'status'),
        assignedAgents: partOf(call.answer, 'assigned_agents'),
      }),
  ],
]);

/** The whole list, or that of one swarm's members. */
function listed({ args, answer }: ObservedCall, { agents, members }: RuvSwarmLanes): boolean {
  const { filter, ...others } = args;
  if (filter != null && filter !== 'all') return false;
  if (asksForAll(others)) return agents.take(answer);
  const { swarmId } = others;
  return typeof swarmId === 'string' && asksForAll(others, 'swarmId') && members.take(swarmId, answer);
}

/** The answer also names the swarm, which need not be the one that was last begun. */
function spawned(call: ObservedCall, lanes: RuvSwarmLanes): boolean {
  const born = inPart(call, 'agent');
  const agent = readAgent(lanes.records, born.place, born.answer);
  if (agent === null) return false;
  const isTaken = lanes.agents.amend((agents) => withRecord(agents, agent, ({ id }) => id === agent.id));
  const { place, answer: info } = inPart(call, 'swarm_info');
  if (info == null) return isTaken;
  const told = { id: partOf(info, 'id'), agents: { total: partOf(info, 'agent_count') } };
  const swarm = readSwarm(lanes.records, place, told);
  if (swarm === null) return isTaken;
  lanes.members.place(agent.id, swarm.id);
  return lanes.swarms.amend((swarms) => withSwarm(swarms, swarm)) || isTaken;
}

function swarmTold({ place }: ObservedCall, { records, swarms }: RuvSwarmLanes, entry: unknown): boolean {
  const swarm = readSwarm(records, place, entry);
  return swarm !== null && swarms.amend((list) => withSwarm(list, swarm));
}

/** What is not told of a swarm stays as it was. */
function withSwarm(swarms: readonly RuvSwarm[], told: RuvSwarm): RuvSwarm[] {
  const known = swarms.find(({ id }) => id === told.id);
  const swarm = { id: told.id, agents: told.agents ?? known?.agents, tasks: told.tasks ?? known?.tasks };
  return withRecord(swarms, swarm, ({ id }) => id === told.id);
}

function taskTold({ place }: ObservedCall, { records, tasks }: RuvSwarmLanes, entry: unknown): boolean {
  const task = readTask(records, place, entry);
  return task !== null && tasks.amend((tally) => tally.with(task));
}
