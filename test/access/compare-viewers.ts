import { type DocumentNode, parse } from 'graphql';
import { expect } from 'vitest';
import { ANONYMOUS_VIEWER, type Viewer } from '../../src/auth/index.js';
import type { Agent } from '@swarmlens/client';
import type { McpServer, ReportedAgent, ReportedTask, Restriction, SwarmlensEvent } from '../../src/model/index.js';
import { AccessScopes } from '../../src/access/index.js';
import { emptyDelta } from '../../src/state/index.js';
import { EPOCH_TIME } from '../support/arbitraries.js';
import { settled } from '../support/manual-clock.js';
import { areAllServersVisible, visibleEvents, isPartlyHidden, isServerVisible, visibleState } from './brute-force.js';
import { AllSubscriptions } from './subscribers.js';
import { selectAll, unordered } from './selections.js';
import { FakeUpstreams, AccessSetup, createRestrictedViewer } from './access-setup.js';
import { ID_PATTERN, createNotice, toSnapshot, type RawServerState, SERVER_IDS } from './generated-states.js';

const AGENTS = parse(`{ ${selectAll('Query', 'agents')} }`);
const TASKS = parse(`{ ${selectAll('Query', 'tasks')} }`);
const METRICS = `subscription { ${selectAll('Subscription', 'performanceMetrics')} }`;

/** Compares the results of a restricted viewer with those of a server that received only the visible state. */
export class Comparison implements AsyncDisposable {
  readonly #real = new AccessSetup(new FakeUpstreams(SERVER_IDS));
  readonly #everything: DocumentNode;
  readonly #restriction: Restriction;
  readonly #viewer: Viewer;
  readonly #state = new Map<string, RawServerState>();
  /** Everything that the viewer may have received, as text. */
  #allowedText = '';
  #events: SwarmlensEvent[] = [];
  #subscriptions: AllSubscriptions | null = null;
  /** Whether anything visible has changed since the last comparison. */
  #hasMoved = true;

  /** @param everything query of all fields */
  constructor(restriction: Restriction, everything: DocumentNode) {
    this.#restriction = restriction;
    this.#viewer = createRestrictedViewer(restriction);
    this.#everything = everything;
  }

  applyState(state: RawServerState): void {
    const { server, events } = state;
    const before = this.#state.get(server.id);
    this.#state.set(server.id, state);
    this.#emitEvent(events, this.#visibleServer(state) ?? this.#visibleServer(before), state);
    this.#hasMoved ||= this.#visibleText(before) !== this.#visibleText(state);
    const visible = visibleState(this.#restriction, state);
    if (visible !== null) this.#allowedText += JSON.stringify(toSnapshot(visible));
    const { store } = this.#real;
    store.commit({ ...store.diff(toSnapshot(state), EPOCH_TIME), events });
  }

  /** Adds or changes one agent without any other change. */
  change(serverId: string, agent: ReportedAgent): void {
    const state = this.#state.get(serverId);
    if (state === undefined) return;
    const { agents } = state.report;
    const isKnown = agents.some(({ nativeId }) => nativeId === agent.nativeId);
    const changed = isKnown
      ? agents.map((previous) => (previous.nativeId === agent.nativeId ? agent : previous))
      : [...agents, agent];
    this.applyState({ ...state, report: { ...state.report, agents: changed }, events: [] });
  }

  /** Adds or changes one task without any other change. */
  changeTask(serverId: string, task: ReportedTask): void {
    const state = this.#state.get(serverId);
    if (state === undefined) return;
    const others = (state.report.tasks ?? []).filter(({ nativeId }) => nativeId !== task.nativeId);
    this.applyState({ ...state, report: { ...state.report, tasks: [...others, task] }, events: [] });
  }

  remove(serverId: string): void {
    const before = this.#visibleServer(this.#state.get(serverId));
    const events = [createNotice('SERVER_OFFLINE', `${serverId} was removed`, serverId)];
    this.#emitEvent(events, before, undefined);
    this.#hasMoved ||= before !== null;
    this.#state.delete(serverId);
    const { store } = this.#real;
    store.commit({ ...store.removalDelta(serverId), events });
  }

  emitEvent(event: SwarmlensEvent): void {
    this.#emitEvent([event], null, undefined);
    this.#real.store.commit({ ...emptyDelta(''), events: [event] });
  }

  async listen(): Promise<void> {
    await this.#subscriptions?.close();
    this.#events = [];
    this.#subscriptions = await AllSubscriptions.start(this.#real, this.#viewer);
    await settled();
  }

  async resume(): Promise<void> {
    await this.#subscriptions?.resume(this.#real, this.#viewer);
    await settled();
  }

  /** Advances the clock by some ticks and compares all queries and streams. */
  async compare(): Promise<void> {
    const receivedBefore = this.#subscriptions?.received().length;
    await this.#real.clock.pass(300, 100);
    using oracle = this.#oracle();
    const expected = await oracle.run(this.#everything, ANONYMOUS_VIEWER);
    const answer = await this.#real.run(this.#everything, this.#viewer);
    expect(expected.errors).toBeUndefined();
    expect(unordered(answer)).toEqual(unordered(expected));
    if (this.#subscriptions !== null) {
      await this.#compareStreams(this.#subscriptions, oracle);
      // Hidden changes cause no messages.
      if (!this.#hasMoved) expect(this.#subscriptions.received().length).toBe(receivedBefore);
    }
    this.#hasMoved = false;
  }

  /** Compares the long-lived access scope with a new one. */
  async compareWithNewScope(): Promise<void> {
    const { accessScopes, clock } = this.#real;
    const options = { maxTombstones: 9, maxEvents: 9, utilization: () => 0, onError: () => undefined };
    using fresh = new AccessScopes({ unrestricted: accessScopes.servicesFor(ANONYMOUS_VIEWER), clock, ...options });
    const answer = await this.#real.run(this.#everything, this.#viewer, fresh);
    expect(unordered(answer)).toEqual(unordered(await this.#real.run(this.#everything, this.#viewer)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscriptions?.close();
    await settled();
    const { active, commits, demand, clock } = this.#real;
    const remaining = { streams: active.size, waiting: commits.size, demands: demand.size, timers: clock.pending };
    this.#real[Symbol.dispose]();
    expect(remaining).toEqual({ streams: 0, waiting: 0, demands: 0, timers: 0 });
  }

  async #compareStreams(subscriptions: AllSubscriptions, oracle: AccessSetup): Promise<void> {
    subscriptions.applyReceived();
    const agents = (await oracle.run(AGENTS, ANONYMOUS_VIEWER)).data?.['agents'] as readonly Agent[]; // typed by the schema
    const expected = new Map(agents.map((agent) => [agent.id, agent]));
    expect(subscriptions.agents).toEqual(expected);
    expect(subscriptions.patched).toEqual(expected);
    const tasks = (await oracle.run(TASKS, ANONYMOUS_VIEWER)).data?.['tasks'] as readonly { readonly id: string }[]; // typed by the schema
    expect(subscriptions.tasks).toEqual(new Map(tasks.map((task) => [task.id, task])));
    const edges = [...oracle.store.edges.values()].map(({ serverId: _serverId, ...edge }) => [edge.id, edge] as const);
    expect(subscriptions.edges).toEqual(new Map(edges));
    const stale = [...oracle.store.servers.values()].filter((server) => server.stale).map(({ id }) => id);
    expect(subscriptions.last?.staleServerIds.toSorted()).toEqual(stale.sort());
    const metrics = await oracle.listen(METRICS, ANONYMOUS_VIEWER);
    await settled();
    await metrics.close();
    expect(unordered(subscriptions.metrics)).toEqual(unordered(metrics.received[0]));
    expect(unordered(subscriptions.last?.performanceMetrics)).toEqual(unordered(metrics.received[0]));
    // Streams omit the type, and no client is slow here.
    const expectedEvents = (type: string): object[] =>
      this.#events.filter((event) => event.type === type).map(({ type: _type, ...event }) => ({ ...event, missed: 0 }));
    expect(subscriptions.health).toEqual(expectedEvents('health'));
    expect(subscriptions.notices).toEqual(expectedEvents('notice'));
    expect(subscriptions.messages).toEqual(expectedEvents('message'));
    const allowed = new Set<string>(`${this.#allowedText} ${JSON.stringify(this.#events)}`.match(ID_PATTERN));
    for (const marker of JSON.stringify(subscriptions.received()).match(ID_PATTERN) ?? [])
      expect(allowed).toContain(marker);
  }

  #visibleServer(state: RawServerState | undefined): McpServer | null {
    return state !== undefined && isServerVisible(this.#restriction, state.server) ? state.server : null;
  }

  #visibleText(state: RawServerState | undefined): string {
    return JSON.stringify(state === undefined ? null : visibleState(this.#restriction, { ...state, events: [] }));
  }

  #emitEvent(events: readonly SwarmlensEvent[], server: McpServer | null, state: RawServerState | undefined): void {
    const visible = events.flatMap((event) => visibleEvents(this.#restriction, event, server, state));
    this.#events.push(...visible);
    this.#hasMoved ||= visible.length > 0;
  }

  #oracle(): AccessSetup {
    const restriction = this.#restriction;
    const areErrorsVisible = (id: string): boolean => {
      const server = this.#state.get(id)?.server;
      return server !== undefined && !isPartlyHidden(restriction, server);
    };
    const candidates = areAllServersVisible(restriction) ? ['srv-y'] : [];
    const oracle = new AccessSetup(new FakeUpstreams(SERVER_IDS, areErrorsVisible), this.#real.clock, candidates);
    for (const state of this.#state.values()) {
      const visible = visibleState(restriction, state);
      if (visible !== null) oracle.store.commit(oracle.store.diff(toSnapshot(visible), EPOCH_TIME));
    }
    return oracle;
  }
}
