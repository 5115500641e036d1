import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AccessScopes, type ScopedServices } from '../../src/access/index.js';
import type { GroupMember, StreamUpdate } from '../../src/delivery/index.js';
import { UNRESTRICTED } from '../../src/model/index.js';
import { createView, emptyDelta } from '../../src/state/index.js';
import { serverOf } from '../support/arbitraries.js';
import { settled } from '../support/manual-clock.js';
import { AccessSetup, createRestrictedViewer, FakeUpstreams } from './access-setup.js';

const IDLE_MS = 10 * 60_000;

const viewerOfX = createRestrictedViewer({ ...UNRESTRICTED, serverIds: ['srv-x'] });
const viewerOfY = createRestrictedViewer({ ...UNRESTRICTED, serverIds: ['srv-y'] });
const unrestricted = createRestrictedViewer(UNRESTRICTED);

describe('AccessScopes', () => {
  let setup: AccessSetup;
  let scopes: AccessScopes;

  beforeEach(() => {
    setup = new AccessSetup(new FakeUpstreams(['srv-x', 'srv-y']));
    scopes = setup.accessScopes;
  });

  afterEach(() => {
    setup[Symbol.dispose]();
  });

  function commitServer(stale: boolean): void {
    setup.store.commit({ ...emptyDelta('srv-x'), server: serverOf('srv-x', stale) });
  }

  function joinGroup({ streams }: ScopedServices): Disposable {
    const member: GroupMember<StreamUpdate> = { after: null, canReceive: () => true, deliver: () => undefined };
    const view = createView();
    return streams.groups.join('key', () => ({ view, hz: 10, render: (update: StreamUpdate) => update }), member);
  }

  test('counts the scopes with a restriction and the groups of all scopes', () => {
    expect({ scopes: scopes.size, groups: scopes.groupCount }).toEqual({ scopes: 0, groups: 0 });
    const memberships = [unrestricted, viewerOfX, viewerOfY].map((viewer) => joinGroup(scopes.servicesFor(viewer)));
    expect({ scopes: scopes.size, groups: scopes.groupCount }).toEqual({ scopes: 2, groups: 3 });
    for (const membership of memberships) membership[Symbol.dispose]();
    expect(scopes.groupCount).toBe(0);
  });

  test('keeps services that are unused for ten minutes, and disposes them after that', () => {
    // Far from 0, so that an absolute time is not taken for an elapsed time.
    setup.clock.advance(2 * IDLE_MS);
    const services = scopes.servicesFor(viewerOfX);
    commitServer(false);
    setup.clock.advance(IDLE_MS);
    commitServer(true);
    expect(scopes.size).toBe(1);
    expect(scopes.servicesFor(viewerOfX)).toBe(services);
    setup.clock.advance(IDLE_MS + 1);
    const { revision } = services.store;
    commitServer(false);
    expect(scopes.size).toBe(0);
    expect(scopes.servicesFor(viewerOfX)).not.toBe(services);
    commitServer(true);
    expect(services.store.revision).toBe(revision + 1);
  });

  test('keeps services while a stream is open, and ten minutes longer', () => {
    const { active } = scopes.servicesFor(viewerOfX).streams;
    const [first, second] = [active.add(null), active.add(null)];
    expect(setup.active.size).toBe(2);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    setup.clock.advance(2 * IDLE_MS);
    commitServer(false);
    expect(scopes.size).toBe(1);
    second[Symbol.dispose]();
    expect(setup.active.size).toBe(0);
    setup.clock.advance(IDLE_MS);
    commitServer(true);
    expect(scopes.size).toBe(1);
    setup.clock.advance(1);
    commitServer(false);
    expect(scopes.size).toBe(0);
  });

  test('requests nothing from hidden servers', () => {
    const { demand } = scopes.servicesFor(viewerOfX).streams;
    using _demand = demand.add(createView(), 5);
    const wanted = ['srv-x', 'srv-y'].map((id) => setup.demand.requiredHz(serverOf(id)));
    expect(wanted).toEqual([5, 0]);
  });

  test('lists candidates of discovery to viewers of all servers only', async () => {
    const listed = [unrestricted, createRestrictedViewer({ ...UNRESTRICTED, neural: false }), viewerOfX].map(
      (viewer) => scopes.servicesFor(viewer).candidates,
    );
    for (const candidates of listed) candidates.clear();
    const counts = await Promise.all(listed.map(async (candidates) => (await candidates.list()).length));
    expect(counts).toEqual([1, 1, 0]);
  });

  test('records the deliveries of all scopes', async () => {
    const delivered: number[] = [];
    using recorded = new AccessScopes({
      unrestricted: scopes.servicesFor(unrestricted),
      clock: setup.clock,
      maxTombstones: 10,
      maxEvents: 10,
      utilization: () => 0,
      onError: (error) => expect.unreachable(String(error)),
      metrics: { recordDelivery: (readers) => delivered.push(readers), recordSkippedTicks: () => undefined },
    });
    using _membership = joinGroup(recorded.servicesFor(viewerOfX));
    await settled();
    expect(delivered).toEqual([1]);
  });

  test('disposes the services of all scopes with itself', () => {
    const { store } = scopes.servicesFor(viewerOfX);
    scopes[Symbol.dispose]();
    commitServer(false);
    expect({ size: scopes.size, revision: store.revision }).toEqual({ size: 0, revision: 0 });
  });
});
