import type { Agent, AgentMessage, Swarm, Task, TopologyEdge } from '../../src/model/index.js';
import { EPOCH_TIME } from '../support/arbitraries.js';
import { UNOBSERVED } from '../support/unknown-fields.js';

/** Agent of the server `x`. */
export function agentWith(nativeId: string, changes: Partial<Agent> = {}): Agent {
  return {
    id: `x:${nativeId}`,
    nativeId,
    serverId: 'x',
    serverType: 'RUV_SWARM',
    swarmId: null,
    name: nativeId,
    type: 'coder',
    status: 'IDLE',
    capabilities: [],
    model: null,
    currentTaskId: null,
    ...UNOBSERVED,
    performance: null,
    neural: null,
    topology: null,
    stale: false,
    simulated: false,
    createdAt: null,
    lastActiveAt: null,
    lastSeenAt: EPOCH_TIME,
    ...changes,
  };
}

/** Swarm of the server `x`. */
export function swarmWith(nativeId: string, changes: Partial<Swarm> = {}): Swarm {
  return {
    id: `x:${nativeId}`,
    nativeId,
    serverId: 'x',
    serverType: 'RUV_SWARM',
    name: null,
    status: null,
    topologyName: null,
    topology: null,
    strategy: null,
    maxAgents: null,
    tasksTotal: null,
    tasksActive: null,
    tasksCompleted: null,
    stale: false,
    createdAt: null,
    ...changes,
  };
}

/** Task of the server `x`. */
export function taskWith(nativeId: string, changes: Partial<Task> = {}): Task {
  return {
    id: `x:${nativeId}`,
    nativeId,
    serverId: 'x',
    serverType: 'RUV_SWARM',
    swarmId: null,
    title: null,
    status: 'PENDING',
    agentIds: [],
    dependsOnIds: [],
    createdAt: null,
    startedAt: null,
    endedAt: null,
    stale: false,
    ...changes,
  };
}

/** Message of the server `x`. */
export function messageWith(nativeId: string, changes: Partial<AgentMessage> = {}): AgentMessage {
  return {
    type: 'message',
    id: `x:${nativeId}`,
    serverId: 'x',
    serverType: 'RUV_SWARM',
    swarmId: 'x:s',
    fromAgentId: 'x:a',
    toAgentIds: ['x:b', 'x:c'],
    sentAt: EPOCH_TIME,
    text: null,
    ...changes,
  };
}

/** Edge in the swarm `x:s`. */
export function edgeWith(from: string, to: string, changes: Partial<TopologyEdge> = {}): TopologyEdge {
  const ids = { id: `x:s|${from}|${to}`, serverId: 'x', swarmId: 'x:s', from: `x:${from}`, to: `x:${to}` };
  return { ...ids, relation: 'leads', inferred: false, ...changes };
}
