import { describe, expect, test } from 'vitest';
import { SessionTracker, type ObservedToolCall } from '../../src/tap/session-tracker.js';
import { parseMessages } from '../../src/tap/rpc-message.js';
import { ManualClock } from '../support/manual-clock.js';

class Stage {
  readonly clock = new ManualClock();
  readonly calls: ObservedToolCall[] = [];
  readonly events: string[] = [];
  readonly conversation = new SessionTracker(this.clock, {
    onCall: (call) => this.calls.push(call),
    onToolsChanged: () => this.events.push('tools changed'),
    onInitialized: () => this.events.push('greeted'),
  });

  person(json: unknown, bytes = 100): this {
    for (const one of parseMessages(Buffer.from(JSON.stringify(json)))) this.conversation.fromClient(one, bytes);
    return this;
  }

  server(json: unknown): this {
    for (const one of parseMessages(Buffer.from(JSON.stringify(json)))) this.conversation.fromServer(one);
    return this;
  }

  get isIdle(): boolean {
    return this.conversation.isIdle;
  }
}

const call = (id: unknown, name = 'agent_spawn'): object => ({
  id,
  method: 'tools/call',
  params: { name, arguments: { type: 'coder' } },
});

describe("what a person's client and its server say", () => {
  test('begins with a greeting, and nobody else may ask before the client is through with it', () => {
    const stage = new Stage().person({ method: 'notifications/initialized' });
    stage.person({ id: 0, method: 'initialize', params: {} });
    expect(stage.conversation.initializeResult).toBeNull();
    stage.server({ id: 0, result: { serverInfo: { name: 'x' } } });
    expect(stage.conversation.initializeResult).toEqual({ serverInfo: { name: 'x' } });
    expect(stage.events).toEqual(['greeted']);
    expect(stage.conversation.isReady).toBe(false);
    stage.person({ method: 'notifications/initialized' });
    expect(stage.conversation.isReady).toBe(true);
  });

  test('a client that forgets to say that it is through is so with its next request', () => {
    const stage = new Stage().person({ id: 0, method: 'initialize' }).server({ id: 0, result: {} });
    stage.person({ id: 1, method: 'tools/list' });
    expect(stage.conversation.isReady).toBe(true);
  });

  test('is under way until every request is answered, refused or cancelled', () => {
    const stage = new Stage().person([call(1), call('1')]).person({ id: 2, method: 'ping' });
    stage.server({ id: 1, result: {} });
    expect(stage.isIdle).toBe(false);
    stage.server({ id: '1', error: { code: -1, message: 'no' } });
    expect(stage.isIdle).toBe(false);
    stage.person({ method: 'notifications/cancelled', params: { requestId: 2 } });
    expect(stage.isIdle).toBe(true);
    stage.server({ id: 2, result: {} });
    expect(stage.isIdle).toBe(true);
  });

  test("is not kept up by notifications, answers of the person's, or requests of the server's", () => {
    const stage = new Stage()
      .person({ method: 'notifications/x' })
      .person({ id: 7, result: {} })
      .server({ id: 7, method: 'sampling/createMessage' });
    expect(stage.isIdle).toBe(true);
    stage.person(call(7)).server({ id: 7, method: 'roots/list' });
    expect(stage.isIdle).toBe(false);
  });

  test('a request that is not answered within ten minutes is no longer waited for', () => {
    const stage = new Stage().person(call(1));
    stage.clock.advance(599_999);
    expect(stage.isIdle).toBe(false);
    stage.clock.advance(1);
    expect(stage.isIdle).toBe(true);
  });

  test('calls of tools are told with their answers, and others are not', () => {
    const stage = new Stage().person([call(1), call(2, 'x'), { id: 3, method: 'tools/list' }]);
    stage.server({ id: 3, result: { tools: [] } });
    stage.server({ id: 2, error: { code: -1, message: 'no' } }).server({ id: 1, result: { content: [] } });
    const rest = { arguments: { type: 'coder' } };
    expect(stage.calls).toEqual([
      { tool: 'x', ...rest, error: { code: -1, message: 'no' }, result: undefined },
      { tool: 'agent_spawn', ...rest, result: { content: [] }, error: undefined },
    ]);
  });

  test('calls whose arguments together are more than 10 MB are waited for, but not told', () => {
    const stage = new Stage().person(call(1), 9e6).person(call(2), 9e6);
    stage.server({ id: 2, result: {} });
    expect(stage.calls).toHaveLength(0);
    expect(stage.isIdle).toBe(false);
    stage.server({ id: 1, result: {} }).person(call(3), 9e6).server({ id: 3, result: {} });
    expect(stage.calls).toHaveLength(2);
  });

  test('a change of the tools is told', () => {
    expect(new Stage().server({ method: 'notifications/tools/list_changed' }).events).toEqual(['tools changed']);
  });

  test.each(['', 'x', '5', 'null', '[1,null]', '{"id":{}}', '{"id":null,"method":5}', '{', '\u0000', '{"id":1}'])(
    '%j is nothing to go by, and no reason to fail',
    (text) => {
      const { conversation } = new Stage();
      for (const one of parseMessages(Buffer.from(text))) {
        conversation.fromClient(one, 1);
        conversation.fromServer(one);
      }
      expect(conversation.isIdle).toBe(true);
    },
  );
});
