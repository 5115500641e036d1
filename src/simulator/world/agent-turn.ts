import { TASK_TEMPLATES, type SimAgent, type SimTask } from './entities.js';
import { populationSize } from './population.js';
import type { World } from './world.js';

const END_PROBABILITY = 0.08;
const FAIL_PROBABILITY = 0.06;
const PAUSE_PROBABILITY = 0.05;
const TEAM_PROBABILITY = 0.1;
const PRIORITIES = ['low', 'medium', 'high', 'critical'] as const;

/** Runs one agent's behavior in one step. */
export function runAgentTurn(world: World, agent: SimAgent): void {
  switch (agent.state) {
    case 'starting':
      world.setState(agent, 'idle');
      break;
    case 'idle':
      idle(world, agent);
      break;
    case 'active':
    case 'busy':
      work(world, agent);
      break;
    case 'error':
      recover(world, agent);
      break;
    case 'paused':
      // An agent paused by a client is resumed by a client.
      if (!agent.isPausedByClient) world.setState(agent, 'idle');
      break;
    case 'ended':
      break;
  }
}

function idle(world: World, agent: SimAgent): void {
  if (canEnd(world, agent)) {
    world.end(agent);
    return;
  }
  if (world.options.type !== 'ruv-swarm' && world.random.chance(PAUSE_PROBABILITY)) {
    world.setState(agent, 'paused');
    return;
  }
  const waiting = world
    .tasks('pending')
    .find(({ assignedTo }) => assignedTo.length === 0 || assignedTo.includes(agent.id));
  const task = waiting ?? newTask(world, agent);
  world.assign(task, [agent, ...helpers(world, agent, task)]);
}

function canEnd(world: World, agent: SimAgent): boolean {
  const { agents } = world.options;
  const excess = agents === 0 ? 0 : (populationSize(world) - agents) / agents;
  // Drawn for pinned agents too, so that they do not change the random numbers of the others.
  return world.random.chance(END_PROBABILITY + Math.max(-END_PROBABILITY, excess)) && !agent.isPinned;
}

function newTask(world: World, agent: SimAgent): SimTask {
  const { type, description } = world.random.pick(TASK_TEMPLATES);
  return world.createTask({ type, description, priority: world.random.pick(PRIORITIES), swarmId: agent.swarmId });
}

/** Returns the free agents that the task names, or sometimes another free agent. */
function helpers(world: World, agent: SimAgent, task: SimTask): SimAgent[] {
  const isFree = (candidate: SimAgent | undefined): candidate is SimAgent =>
    candidate !== undefined && candidate !== agent && candidate.state === 'idle';
  const named = task.assignedTo.map((id) => world.agent(id)).filter(isFree);
  if (named.length > 0 || task.assignedTo.length > 0) return named;
  if (!world.random.chance(TEAM_PROBABILITY)) return [];
  return world.random.sample(
    world.livingAgents(agent.group).filter((candidate) => isFree(candidate) && candidate.swarmId === agent.swarmId),
    1,
  );
}

function work(world: World, agent: SimAgent): void {
  const task = world.task(agent.taskId);
  if (task === undefined) {
    // A client has made the agent busy, or the task was removed.
    agent.taskId = null;
    world.setState(agent, 'idle');
    return;
  }
  if (agent.state === 'active') {
    world.setState(agent, 'busy');
    task.progress = Math.min(95, task.progress + 5 + world.random.below(20));
    return;
  }
  if (world.random.chance(FAIL_PROBABILITY)) {
    world.finish(task, 'failed');
    world.setState(agent, 'error');
    agent.health = rounded(Math.max(0.1, agent.health - 0.4));
    return;
  }
  world.setState(agent, 'busy');
  task.progress += 20 + world.random.below(40);
  agent.health = rounded(Math.min(1, agent.health + 0.05));
  if (task.progress < 100) return;
  agent.adaptations += 1;
  world.finish(task, 'completed', { summary: `${task.type} done` });
}

function recover(world: World, agent: SimAgent): void {
  const luck = world.random.next();
  if (luck < 0.75) {
    world.setState(agent, 'idle');
    agent.health = rounded(Math.min(1, agent.health + 0.3));
  } else if (luck < 0.85 && !agent.isPinned) {
    world.end(agent);
  } else {
    world.setState(agent, 'error');
    agent.health = rounded(Math.max(0.05, agent.health - 0.1));
  }
}

function rounded(health: number): number {
  return Math.round(health * 100) / 100;
}
