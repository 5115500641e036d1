import { type DocumentNode, parse } from 'graphql';
import { expect } from 'vitest';
import { ANONYMOUS_VIEWER, type Viewer } from '../../src/auth/index.js';
import type { Agent } from '@swarmlens/client';
import type { McpServer, ReportedAgent, Restriction, SwarmlensEvent } from '../../src/model/index.js';
import { AccessScopes } from '../../src/access/index.js';
import { emptyDelta } from '../../src/state/index.js';
import { EPOCH_TIME } from '../support/arbitraries.js';
import { settled } from '../support/manual-clock.js';
import { areAllServersSeen, eventTo, isPartSeen, isServerSeen, saidTo } from './brute-force.js';
import { Listeners } from './subscribers.js';
import { asked, unordered } from './selections.js';
import { SaidServers, Stage, viewerOf } from './access-setup.js';
import { MARKERS, noticeOf, pictureOf, type Said, SERVER_IDS } from './generated-states.js';

const AGENTS = parse(`{ ${asked('Query', 'agents')} }`);
const METRICS = `subscription { ${asked('Subscription', 'performanceMetrics')} }`;

/** One viewer, the real thing, and beside it a server to which only what they may see was ever said. */
export class Comparison implements AsyncDisposable {
  readonly #real = new Stage(new SaidServers(SERVER_IDS));
  readonly #everything: DocumentNode;
  readonly #restriction: Restriction;
  readonly #viewer: Viewer;
  readonly #said = new Map<string, Said>();
  /** All that the viewer may have been told of, as text. */
  #mayKnow = '';
  #events: SwarmlensEvent[] = [];
  #listeners: Listeners | null = null;
  /** Whether anything that is seen has moved since the last comparison. */
  #hasMoved = true;

  /** @param everything all that can be queried */
  constructor(restriction: Restriction, everything: DocumentNode) {
    this.#restriction = restriction;
    this.#viewer = viewerOf(restriction);
    this.#everything = everything;
  }

  say(said: Said): void {
    const { server, events } = said;
    const before = this.#said.get(server.id);
    this.#said.set(server.id, said);
    this.#happen(events, this.#seen(said) ?? this.#seen(before));
    this.#hasMoved ||= this.#textOf(before) !== this.#textOf(said);
    const seen = saidTo(this.#restriction, said);
    if (seen !== null) this.#mayKnow += JSON.stringify(pictureOf(seen));
    const { store } = this.#real;
    store.commit({ ...store.diff(pictureOf(said), EPOCH_TIME), events });
  }

  /** One agent comes, or becomes something else, and nothing else moves. */
  change(serverId: string, agent: ReportedAgent): void {
    const said = this.#said.get(serverId);
    if (said === undefined) return;
    const { agents } = said.report;
    const isKnown = agents.some(({ nativeId }) => nativeId === agent.nativeId);
    const changed = isKnown ? agents.map((one) => (one.nativeId === agent.nativeId ? agent : one)) : [...agents, agent];
    this.say({ ...said, report: { ...said.report, agents: changed }, events: [] });
  }

  remove(serverId: string): void {
    const before = this.#seen(this.#said.get(serverId));
    const events = [noticeOf('SERVER_OFFLINE', `${serverId} is taken out`, serverId)];
    this.#happen(events, before);
    this.#hasMoved ||= before !== null;
    this.#said.delete(serverId);
    const { store } = this.#real;
    store.commit({ ...store.removalDelta(serverId), events });
  }

  happen(event: SwarmlensEvent): void {
    this.#happen([event], null);
    this.#real.store.commit({ ...emptyDelta(''), events: [event] });
  }

  async listen(): Promise<void> {
    await this.#listeners?.leave();
    this.#events = [];
    this.#listeners = await Listeners.start(this.#real, this.#viewer);
    await settled();
  }

  async resume(): Promise<void> {
    await this.#listeners?.resume(this.#real, this.#viewer);
    await settled();
  }

  /** Lets ticks pass and compares everything. */
  async compare(): Promise<void> {
    const toldBefore = this.#listeners?.told().length;
    await this.#real.clock.pass(300, 100);
    using oracle = this.#oracle();
    const expected = await oracle.run(this.#everything, ANONYMOUS_VIEWER);
    const answer = await this.#real.run(this.#everything, this.#viewer);
    expect(expected.errors).toBeUndefined();
    expect(unordered(answer)).toEqual(unordered(expected));
    if (this.#listeners !== null) {
      await this.#compareStreams(this.#listeners, oracle);
      // What is not seen moves nothing either.
      if (!this.#hasMoved) expect(this.#listeners.told().length).toBe(toldBefore);
    }
    this.#hasMoved = false;
  }

  /** What somebody sees whose sight begins now is what one sees who was there all the time. */
  async compareWithNewcomer(): Promise<void> {
    const { sights, clock } = this.#real;
    const options = { maxTombstones: 9, maxEvents: 9, utilization: () => 0, onError: () => undefined };
    using fresh = new AccessScopes({ unrestricted: sights.servicesFor(ANONYMOUS_VIEWER), clock, ...options });
    const answer = await this.#real.run(this.#everything, this.#viewer, fresh);
    expect(unordered(answer)).toEqual(unordered(await this.#real.run(this.#everything, this.#viewer)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listeners?.leave();
    await settled();
    const { active, commits, demand, clock } = this.#real;
    const left = { streams: active.size, waiting: commits.size, wishes: demand.size, timers: clock.pending };
    this.#real[Symbol.dispose]();
    expect(left).toEqual({ streams: 0, waiting: 0, wishes: 0, timers: 0 });
  }

  async #compareStreams(listeners: Listeners, oracle: Stage): Promise<void> {
    listeners.take();
    const agents = (await oracle.run(AGENTS, ANONYMOUS_VIEWER)).data?.['agents'] as readonly Agent[]; // as the schema has it
    const expected = new Map(agents.map((agent) => [agent.id, agent]));
    expect(listeners.agents).toEqual(expected);
    expect(listeners.patched).toEqual(expected);
    const edges = [...oracle.store.edges.values()].map(({ serverId: _serverId, ...edge }) => [edge.id, edge] as const);
    expect(listeners.edges).toEqual(new Map(edges));
    const stale = [...oracle.store.servers.values()].filter((server) => server.stale).map(({ id }) => id);
    expect(listeners.last?.staleServerIds.toSorted()).toEqual(stale.sort());
    const metrics = await oracle.listen(METRICS, ANONYMOUS_VIEWER);
    await settled();
    await metrics.leave();
    expect(unordered(listeners.metrics)).toEqual(unordered(metrics.told[0]));
    expect(unordered(listeners.last?.performanceMetrics)).toEqual(unordered(metrics.told[0]));
    // As they are told: without their type, and nobody here is too slow.
    const told = (type: string): object[] =>
      this.#events.filter((event) => event.type === type).map(({ type: _type, ...event }) => ({ ...event, missed: 0 }));
    expect(listeners.health).toEqual(told('health'));
    expect(listeners.notices).toEqual(told('notice'));
    const known = new Set<string>(`${this.#mayKnow} ${JSON.stringify(this.#events)}`.match(MARKERS));
    for (const marker of JSON.stringify(listeners.told()).match(MARKERS) ?? []) expect(known).toContain(marker);
  }

  #seen(said: Said | undefined): McpServer | null {
    return said !== undefined && isServerSeen(this.#restriction, said.server) ? said.server : null;
  }

  #textOf(said: Said | undefined): string {
    return JSON.stringify(said === undefined ? null : saidTo(this.#restriction, { ...said, events: [] }));
  }

  #happen(events: readonly SwarmlensEvent[], server: McpServer | null): void {
    const told = events.flatMap((event) => eventTo(this.#restriction, event, server));
    this.#events.push(...told);
    this.#hasMoved ||= told.length > 0;
  }

  #oracle(): Stage {
    const restriction = this.#restriction;
    const areWordsSaid = (id: string): boolean => {
      const server = this.#said.get(id)?.server;
      return server !== undefined && !isPartSeen(restriction, server);
    };
    const candidates = areAllServersSeen(restriction) ? ['srv-y'] : [];
    const oracle = new Stage(new SaidServers(SERVER_IDS, areWordsSaid), this.#real.clock, candidates);
    for (const said of this.#said.values()) {
      const seen = saidTo(restriction, said);
      if (seen !== null) oracle.store.commit(oracle.store.diff(pictureOf(seen), EPOCH_TIME));
    }
    return oracle;
  }
}
