import { describe, expect, test } from 'vitest';
import { SessionTracker, type ObservedToolCall } from '../../src/tap/session-tracker.js';
import { parseMessages } from '../../src/tap/rpc-message.js';
import { ManualClock } from '../support/manual-clock.js';

class Harness {
  readonly clock = new ManualClock();
  readonly calls: ObservedToolCall[] = [];
  readonly events: string[] = [];
  readonly tracker = new SessionTracker(this.clock, {
    onCall: (call) => this.calls.push(call),
    onToolsChanged: () => this.events.push('tools changed'),
    onInitialized: () => this.events.push('initialized'),
  });

  client(json: unknown, bytes = 100): this {
    for (const one of parseMessages(Buffer.from(JSON.stringify(json)))) this.tracker.fromClient(one, bytes);
    return this;
  }

  server(json: unknown): this {
    for (const one of parseMessages(Buffer.from(JSON.stringify(json)))) this.tracker.fromServer(one);
    return this;
  }

  get isIdle(): boolean {
    return this.tracker.isIdle;
  }
}

const call = (id: unknown, name = 'agent_spawn'): object => ({
  id,
  method: 'tools/call',
  params: { name, arguments: { type: 'coder' } },
});

describe('SessionTracker', () => {
  test('becomes ready when the client has completed the handshake', () => {
    const harness = new Harness().client({ method: 'notifications/initialized' });
    harness.client({ id: 0, method: 'initialize', params: {} });
    expect(harness.tracker.initializeResult).toBeNull();
    harness.server({ id: 0, result: { serverInfo: { name: 'x' } } });
    expect(harness.tracker.initializeResult).toEqual({ serverInfo: { name: 'x' } });
    expect(harness.events).toEqual(['initialized']);
    expect(harness.tracker.isReady).toBe(false);
    harness.client({ method: 'notifications/initialized' });
    expect(harness.tracker.isReady).toBe(true);
  });

  test('becomes ready with the next request when the client omits the initialized notification', () => {
    const harness = new Harness().client({ id: 0, method: 'initialize' }).server({ id: 0, result: {} });
    harness.client({ id: 1, method: 'tools/list' });
    expect(harness.tracker.isReady).toBe(true);
  });

  const modern = (id: number, method: string, params: object = {}): object => ({
    id,
    method,
    params: { ...params, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
  });
  const serverInfo = { name: 'x', version: '1' };
  const _meta = { 'io.modelcontextprotocol/serverInfo': serverInfo };

  test('is ready without a handshake when a request that names its version is answered', () => {
    const harness = new Harness().client(modern(0, 'server/discover'));
    expect([harness.tracker.isReady, harness.tracker.version]).toEqual([false, null]);
    harness.server({ id: 0, result: { capabilities: { tools: { listChanged: true } }, _meta } });
    expect([harness.tracker.isReady, harness.tracker.version]).toEqual([true, '2026-07-28']);
    const capabilities = { tools: { listChanged: true } };
    expect(harness.tracker.initializeResult).toMatchObject({ capabilities, serverInfo });
    harness.client(modern(1, 'tools/list')).server({ id: 1, result: { tools: [], _meta } });
    expect(harness.tracker.initializeResult).toMatchObject({ capabilities });
    expect(harness.events).toEqual(['initialized']);
  });

  test('describes a server whose client does not ask for its capabilities', () => {
    const harness = new Harness().client(modern(0, 'tools/list')).server({ id: 0, result: { tools: [] } });
    const unknown = { capabilities: { tools: {} }, serverInfo: { name: 'unknown', version: '' } };
    expect(harness.tracker.initializeResult).toMatchObject(unknown);
  });

  test('uses the handshake when a request that names its version is rejected', () => {
    const harness = new Harness().client(modern(0, 'server/discover'));
    harness.server({ id: 0, error: { code: -32_601, message: 'Method not found' } });
    expect(harness.tracker.initializeResult).toBeNull();
    harness.client({ id: 1, method: 'initialize' }).server({ id: 1, result: { serverInfo } });
    harness.client({ method: 'notifications/initialized' });
    expect([harness.tracker.isReady, harness.tracker.version]).toEqual([true, null]);
    expect(harness.tracker.initializeResult).toEqual({ serverInfo });
  });

  test('is idle when the client listens', () => {
    const harness = new Harness().client(modern(0, 'subscriptions/listen'));
    expect(harness.isIdle).toBe(true);
  });

  test('reports a call when it is complete', () => {
    const harness = new Harness().client(modern(0, 'tools/call', { name: 'agent_spawn', arguments: {} }));
    harness.server({ id: 0, result: { resultType: 'input_required', inputRequests: {} } });
    expect(harness.calls).toEqual([]);
    expect(harness.isIdle).toBe(true);
    harness.client(modern(1, 'tools/call', { name: 'agent_spawn', arguments: {}, inputResponses: {} }));
    harness.server({ id: 1, result: { resultType: 'complete', content: [] } });
    expect(harness.calls).toMatchObject([{ tool: 'agent_spawn', result: { content: [] } }]);
  });

  test('is idle when every client request is answered, rejected or cancelled', () => {
    const harness = new Harness().client([call(1), call('1')]).client({ id: 2, method: 'ping' });
    harness.server({ id: 1, result: {} });
    expect(harness.isIdle).toBe(false);
    harness.server({ id: '1', error: { code: -1, message: 'no' } });
    expect(harness.isIdle).toBe(false);
    harness.client({ method: 'notifications/cancelled', params: { requestId: 2 } });
    expect(harness.isIdle).toBe(true);
    harness.server({ id: 2, result: {} });
    expect(harness.isIdle).toBe(true);
  });

  test('ignores notifications, client responses and server requests when it determines idleness', () => {
    const harness = new Harness()
      .client({ method: 'notifications/x' })
      .client({ id: 7, result: {} })
      .server({ id: 7, method: 'sampling/createMessage' });
    expect(harness.isIdle).toBe(true);
    harness.client(call(7)).server({ id: 7, method: 'roots/list' });
    expect(harness.isIdle).toBe(false);
  });

  test('stops waiting for a response after ten minutes', () => {
    const harness = new Harness().client(call(1));
    harness.clock.advance(599_999);
    expect(harness.isIdle).toBe(false);
    harness.clock.advance(1);
    expect(harness.isIdle).toBe(true);
  });

  test('reports tool calls with their responses and no other requests', () => {
    const harness = new Harness().client([call(1), call(2, 'x'), { id: 3, method: 'tools/list' }]);
    harness.server({ id: 3, result: { tools: [] } });
    harness.server({ id: 2, error: { code: -1, message: 'no' } }).server({ id: 1, result: { content: [] } });
    const rest = { arguments: { type: 'coder' } };
    expect(harness.calls).toEqual([
      { tool: 'x', ...rest, error: { code: -1, message: 'no' }, result: undefined },
      { tool: 'agent_spawn', ...rest, result: { content: [] }, error: undefined },
    ]);
  });

  test('waits for calls beyond 10 MB of pending arguments without reporting them', () => {
    const harness = new Harness().client(call(1), 9e6).client(call(2), 9e6);
    harness.server({ id: 2, result: {} });
    expect(harness.calls).toHaveLength(0);
    expect(harness.isIdle).toBe(false);
    harness.server({ id: 1, result: {} }).client(call(3), 9e6).server({ id: 3, result: {} });
    expect(harness.calls).toHaveLength(2);
  });

  test('reports tool list changes', () => {
    expect(new Harness().server({ method: 'notifications/tools/list_changed' }).events).toEqual(['tools changed']);
  });

  test.each(['', 'x', '5', 'null', '[1,null]', '{"id":{}}', '{"id":null,"method":5}', '{', '\u0000', '{"id":1}'])(
    'stays idle when it receives the text %j',
    (text) => {
      const { tracker } = new Harness();
      for (const one of parseMessages(Buffer.from(text))) {
        tracker.fromClient(one, 1);
        tracker.fromServer(one);
      }
      expect(tracker.isIdle).toBe(true);
    },
  );
});
