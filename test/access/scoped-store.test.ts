import { describe, expect, test } from 'vitest';
import { AccessFilter } from '../../src/access/access-filter.js';
import { ScopedStore } from '../../src/access/scoped-store.js';
import {
  type Agent,
  type McpServer,
  type Notice,
  type Restriction,
  type Task,
  UNKNOWN_PERFORMANCE,
  UNRESTRICTED,
} from '../../src/model/index.js';
import { emptyDelta, type ServerDelta, type ServerSnapshot, Store } from '../../src/state/index.js';
import { swarmWith } from '../state/fixed-state.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';
import { taskWith } from '../state/fixed-state.js';
import { UNOBSERVED } from '../support/unknown-fields.js';

const LATER = '2026-11-23T15:00:01.000Z';

const OPTIONS = { maxTombstones: 100, maxEvents: 100 };

/** Filter that counts the agents that it judges. */
class CountingFilter extends AccessFilter {
  judged = 0;

  override allowsAgent(agent: Agent): boolean {
    this.judged += 1;
    return super.allowsAgent(agent);
  }
}

/** Full store and the scoped store of a restriction. */
class Scope implements Disposable {
  readonly full = new Store({ epoch: 'full', ...OPTIONS });
  readonly filter: CountingFilter;
  readonly scoped: ScopedStore;

  constructor(restriction: Partial<Restriction>, snapshots: readonly ServerSnapshot[]) {
    this.filter = new CountingFilter({ ...UNRESTRICTED, ...restriction });
    for (const snapshot of snapshots) this.full.commit(this.full.diff(snapshot, EPOCH_TIME));
    this.scoped = new ScopedStore(this.full, this.filter, { epoch: 'scoped', ...OPTIONS });
  }

  get store(): Store {
    return this.scoped.store;
  }

  commit(delta: Partial<ServerDelta>): void {
    this.full.commit({ ...emptyDelta('srv-x'), ...delta });
  }

  /** Returns the events of the scoped store. */
  events(): readonly unknown[] {
    return this.store.events.since(0).events;
  }

  [Symbol.dispose](): void {
    this.scoped[Symbol.dispose]();
  }
}

function agentOf(nativeId: string, changes: Partial<Agent> = {}): Agent {
  return {
    id: `srv-x:${nativeId}`,
    nativeId,
    serverId: 'srv-x',
    serverType: 'RUV_SWARM',
    swarmId: null,
    name: nativeId,
    type: 'coder',
    status: 'IDLE',
    capabilities: [],
    model: null,
    currentTaskId: null,
    ...UNOBSERVED,
    performance: UNKNOWN_PERFORMANCE,
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

function taskOf(nativeId: string, changes: Partial<Task> = {}): Task {
  return { ...taskWith(nativeId), id: `srv-x:${nativeId}`, serverId: 'srv-x', ...changes };
}

function snapshotOf(server: McpServer, agents: readonly Agent[] = []): ServerSnapshot {
  return { server, agents, swarms: [], edges: [], tasks: [] };
}

function noticeOf(serverId: string): Notice {
  return { type: 'notice', code: 'AGENT_REJECTED', severity: 'WARNING', message: 'm', serverId, timestamp: LATER };
}

const ONLY_X: Partial<Restriction> = { serverIds: ['srv-x'] };

const SWARM = swarmWith('s', { id: 'srv-x:s', serverId: 'srv-x' });

describe('ScopedStore', () => {
  test('removes an agent when the delta holds nothing but the removal', () => {
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'), [agentOf('a'), agentOf('b')])]);
    scope.commit({ removedAgentIds: ['srv-x:a'] });
    expect([...scope.store.agents.values()].map(({ id }) => id)).toEqual(['srv-x:b']);
  });

  test('adds and removes a swarm when the delta holds nothing else', () => {
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'))]);
    scope.commit({ swarms: [SWARM] });
    expect(scope.store.swarms.get(SWARM.id)).toEqual(SWARM);
    scope.commit({ removedSwarmIds: [SWARM.id] });
    expect(scope.store.swarms.size).toBe(0);
  });

  test('adds and removes an edge when the delta holds nothing else', () => {
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'), [agentOf('a'), agentOf('b')])]);
    const [from, to] = ['srv-x:a', 'srv-x:b'];
    const edge = {
      id: 'e',
      serverId: 'srv-x',
      swarmId: SWARM.id,
      from,
      to,
      relation: 'leads',
      inferred: false,
    } as const;
    scope.commit({ edges: [edge] });
    expect(scope.store.edges.get(edge.id)).toEqual(edge);
    scope.commit({ removedEdgeIds: [edge.id] });
    expect(scope.store.edges.size).toBe(0);
  });

  test('keeps the reported position of an agent when all of its edges are visible', () => {
    const topology = { role: 'queen', parentId: null, depth: 3, degree: 9, inferred: false };
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'), [agentOf('a', { topology })])]);
    expect(scope.store.agents.get('srv-x:a')?.topology).toEqual(topology);
    scope.commit({ agents: [agentOf('a', { topology: { ...topology, degree: 8 } })] });
    expect(scope.store.agents.get('srv-x:a')?.topology?.degree).toBe(8);
  });

  test('hides references to a task or parent that turns out to be hidden, without a change of the agent', () => {
    const coder = agentOf('a', { type: 'coder', currentTaskId: 'srv-x:t', parentId: 'srv-x:p' });
    using scope = new Scope({ agentTypes: ['coder'] }, [snapshotOf(serverOf('srv-x'), [coder, agentOf('p')])]);
    const seen = (): unknown => {
      const { currentTaskId, parentId } = scope.store.agents.get('srv-x:a') ?? {};
      return { currentTaskId, parentId };
    };
    expect(seen()).toEqual({ currentTaskId: 'srv-x:t', parentId: 'srv-x:p' });
    scope.commit({ agents: [agentOf('p', { type: 'queen' })] });
    expect(seen()).toEqual({ currentTaskId: 'srv-x:t', parentId: null });
    scope.commit({ tasks: [taskOf('t', { agentIds: ['srv-x:p'] })] });
    expect(seen()).toEqual({ currentTaskId: null, parentId: null });
    expect(scope.store.tasks.size).toBe(0);
    scope.commit({ tasks: [taskOf('t', { agentIds: ['srv-x:p', 'srv-x:a'] })] });
    expect(seen()).toEqual({ currentTaskId: 'srv-x:t', parentId: null });
    expect(scope.store.tasks.get('srv-x:t')?.agentIds).toEqual(['srv-x:a']);
  });

  test('judges only the changed tasks when a delta changes fields of tasks', () => {
    const agents = Array.from({ length: 50 }, (_, index) => agentOf(`a${index}`));
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'), agents)]);
    const task = taskOf('t', { agentIds: ['srv-x:a1'] });
    scope.commit({ tasks: [task] });
    scope.filter.judged = 0;
    scope.commit({ tasks: [{ ...task, status: 'COMPLETED' }] });
    expect(scope.store.tasks.get('srv-x:t')?.status).toBe('COMPLETED');
    expect(scope.filter.judged).toBeLessThan(5);
  });

  test('judges only the changed agents when a delta changes fields of agents', () => {
    const agents = Array.from({ length: 50 }, (_, index) => agentOf(`a${index}`));
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'), agents)]);
    scope.filter.judged = 0;
    scope.commit({ agents: [agentOf('a7', { status: 'BUSY' })] });
    expect(scope.store.agents.get('srv-x:a7')?.status).toBe('BUSY');
    expect(scope.filter.judged).toBe(1);
  });

  test('keeps the time of the last answer when nothing else changes', () => {
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'))]);
    scope.commit({ seenAt: LATER });
    expect(scope.store.serverLastSeenAt('srv-x')).toBe(LATER);
    expect(scope.store.revision).toBe(1);
  });

  test('takes the time of earlier answers when a server becomes visible', () => {
    const hidden = { ...serverOf('srv-x'), agentServerTypes: [] };
    using scope = new Scope({ serverTypes: ['DAA'] }, [snapshotOf(hidden)]);
    expect(scope.store.serverLastSeenAt('srv-x')).toBeNull();
    scope.commit({ server: serverOf('srv-x') });
    expect(scope.store.serverLastSeenAt('srv-x')).toBe(EPOCH_TIME);
  });

  test('commits nothing when only hidden agents change', () => {
    using scope = new Scope({ agentTypes: ['coder'] }, [
      snapshotOf(serverOf('srv-x'), [agentOf('a'), agentOf('q', { type: 'queen' })]),
    ]);
    const commits = scope.store.commitCount;
    scope.commit({ agents: [agentOf('q', { type: 'queen', status: 'BUSY' })] });
    scope.commit({ agents: [agentOf('a')] });
    expect(scope.store.commitCount).toBe(commits);
  });

  test('commits nothing when a hidden server changes', () => {
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x')), snapshotOf(serverOf('srv-y'))]);
    const commits = scope.store.commitCount;
    scope.commit({ ...emptyDelta('srv-y'), seenAt: LATER, server: serverOf('srv-y', true) });
    expect(scope.store.commitCount).toBe(commits);
    expect(scope.store.serverLastSeenAt('srv-y')).toBeNull();
  });

  test('judges an event by its own server when the delta is of another one', () => {
    using scope = new Scope({ serverIds: ['srv-x', 'srv-y'] }, [
      snapshotOf(serverOf('srv-x')),
      snapshotOf(serverOf('srv-y')),
      snapshotOf(serverOf('srv-z')),
    ]);
    scope.commit({ events: [noticeOf('srv-z'), noticeOf('srv-y'), noticeOf('srv-x'), noticeOf('srv-unknown')] });
    expect(scope.events()).toEqual([noticeOf('srv-y'), noticeOf('srv-x')]);
  });

  test('leaves out notices about agents when some agents of the server are hidden', () => {
    using scope = new Scope({ agentTypes: ['coder'] }, [snapshotOf(serverOf('srv-x'))]);
    scope.commit({ events: [noticeOf('srv-x')] });
    expect(scope.events()).toEqual([]);
  });

  test('leaves out events of no server when some servers are hidden', () => {
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'))]);
    const notice = { ...noticeOf('srv-x'), serverId: null };
    scope.commit({ events: [notice] });
    expect(scope.events()).toEqual([]);
    using unrestricted = new Scope({ agentTypes: ['coder'] }, [snapshotOf(serverOf('srv-x'))]);
    unrestricted.commit({ events: [notice] });
    expect(unrestricted.events()).toEqual([notice]);
  });

  test('passes the last event of a server on when it removes the server', () => {
    using scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'), [agentOf('a')])]);
    scope.full.commit({ ...scope.full.removalDelta('srv-x'), seenAt: LATER, events: [noticeOf('srv-x')] });
    expect(scope.store.servers.size).toBe(0);
    expect(scope.store.agents.size).toBe(0);
    expect(scope.events()).toEqual([noticeOf('srv-x')]);
    expect(scope.store.serverLastSeenAt('srv-x')).toBeNull();
  });

  test('follows the full store until it is disposed', () => {
    const scope = new Scope(ONLY_X, [snapshotOf(serverOf('srv-x'))]);
    scope[Symbol.dispose]();
    scope.commit({ agents: [agentOf('a')] });
    expect(scope.store.agents.size).toBe(0);
  });
});

describe('AccessFilter', () => {
  test('returns the same agent when nothing is hidden', () => {
    const filter = new AccessFilter(UNRESTRICTED);
    const agent = agentOf('a', { swarmId: 'srv-x:s', parentId: 'srv-x:b' });
    expect(filter.filterAgent(agent, agent)).toBe(agent);
    const { swarmId, currentTaskId, parentId } = agent;
    const topology = { role: 'queen', parentId: null, depth: 0, degree: 1, inferred: false };
    const references = { swarmId, parentId, currentTaskId, topology: agent.topology };
    for (const hidden of [{ swarmId: null }, { parentId: null }, { topology }])
      expect(filter.filterAgent(agent, { ...references, ...hidden })).toEqual({ ...agent, ...hidden });
  });
});
