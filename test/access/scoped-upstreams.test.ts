import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { UpstreamService } from '../../src/access/index.js';
import { UNRESTRICTED } from '../../src/model/index.js';
import { SwarmlensError } from '../../src/shared/index.js';
import { emptyDelta } from '../../src/state/index.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';
import { AccessSetup, createRestrictedViewer, FakeUpstreams } from './access-setup.js';

const NO_SIGNAL = new AbortController().signal;

const CALLER = 'caller' as never; // the fake does not read it

/** Upstream operations that also name a server which has not reported yet. */
class DiscoveredUpstreams extends FakeUpstreams {
  override readonly discoveredAt = EPOCH_TIME;
}

describe('ScopedUpstreams', () => {
  let setup: AccessSetup;

  beforeEach(() => {
    setup = new AccessSetup(new DiscoveredUpstreams(['srv-w', 'srv-x', 'srv-y']));
    // srv-v is known from another node only, and srv-w has not reported yet.
    for (const id of ['srv-v', 'srv-x', 'srv-y']) setup.store.commit({ ...emptyDelta(id), server: serverOf(id) });
  });

  afterEach(() => {
    setup[Symbol.dispose]();
  });

  function upstreamsOf(restriction: Partial<typeof UNRESTRICTED>): UpstreamService {
    return setup.accessScopes.servicesFor(createRestrictedViewer({ ...UNRESTRICTED, ...restriction })).upstreams;
  }

  test('lists the connected servers that are visible', () => {
    const upstreams = upstreamsOf({ serverIds: ['srv-v', 'srv-w', 'srv-x'] });
    expect(upstreams.serverIds).toEqual(['srv-x']);
    expect(upstreams.discoveredAt).toBe(EPOCH_TIME);
  });

  test('returns the health of visible servers, and null for others', () => {
    const upstreams = upstreamsOf({ serverIds: ['srv-v', 'srv-x'] });
    expect(upstreams.health('srv-x')).toEqual(setup.upstreams.health('srv-x'));
    expect(['srv-v', 'srv-w', 'srv-y'].map((id) => upstreams.health(id))).toEqual([null, null, null]);
  });

  test('returns no health of an unknown server when some agents are hidden', () => {
    const upstreams = upstreamsOf({ agentTypes: ['coder'] });
    expect(['srv-v', 'srv-w', 'unknown'].map((id) => upstreams.health(id))).toEqual([null, null, null]);
    const lastErrors = upstreams.health('srv-x')?.replicas.map(({ lastError }) => lastError);
    expect(lastErrors).toEqual([null]);
  });

  test('polls and refreshes visible servers only', async () => {
    const upstreams = upstreamsOf({ serverIds: ['srv-v', 'srv-x'] });
    await upstreams.pollNow(null);
    await upstreams.refresh();
    expect(setup.upstreams.polled).toEqual([['srv-x'], ['srv-x']]);
    await expect(upstreams.pollNow(['srv-x', 'srv-y'])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(setup.upstreams.polled).toHaveLength(2);
  });

  test('refuses a tool call when the server has hidden parts, and names the server', async () => {
    const call = upstreamsOf({ neural: false }).callTool('srv-x', 'agent_list', {}, NO_SIGNAL, CALLER);
    await expect(call).rejects.toThrow(SwarmlensError);
    await expect(call).rejects.toMatchObject({ code: 'FORBIDDEN', details: { serverId: 'srv-x' } });
    const result = await upstreamsOf({ serverIds: ['srv-x'] }).callTool('srv-x', 'agent_list', {}, NO_SIGNAL, CALLER);
    expect(result.content).toBe('all of srv-x');
  });
});
