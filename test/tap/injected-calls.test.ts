import { describe, expect, test } from 'vitest';
import type { RpcMessage } from '../../src/tap/rpc-message.js';
import { parseMessages } from '../../src/tap/rpc-message.js';
import { type InjectedResponse, InjectedCalls } from '../../src/tap/injected-calls.js';
import { ManualClock } from '../support/manual-clock.js';

const CALL = { method: 'tools/call', params: { name: 'agent_list' } };

interface Harness {
  readonly clock: ManualClock;
  readonly calls: InjectedCalls;
  /** Lines written to the server. */
  readonly written: string[];
  state: { canWrite: boolean; isClientBusy: boolean };
  readonly add: (method?: string) => { answers: InjectedResponse[]; drop: () => void };
  readonly answer: (index: number, result?: unknown) => boolean;
}

function createHarness(): Harness {
  const clock = new ManualClock();
  const written: string[] = [];
  const state = { canWrite: true, isClientBusy: false };
  const calls = new InjectedCalls({
    prefix: 'swarmlens-x-',
    clock,
    canWrite: () => state.canWrite,
    isClientBusy: () => state.isClientBusy,
    adapt: (request) => request,
    write: (line) => written.push(line),
  });
  const sent = (index: number): RpcMessage => {
    const message = parseMessages(Buffer.from(written[index] ?? ''))[0];
    if (message === undefined) throw new Error(`nothing was written as number ${index}`);
    return message;
  };
  return {
    clock,
    calls,
    written,
    state,
    add(method = CALL.method) {
      const answers: InjectedResponse[] = [];
      const call = calls.add({ ...CALL, method }, (answer) => answers.push(answer));
      return { answers, drop: () => call[Symbol.dispose]() };
    },
    answer: (index, result = {}) =>
      calls.handleResponse({ id: sent(index).id, method: undefined, params: undefined, result, error: undefined }),
  };
}

const BUSY = { error: { code: -32_000, message: expect.stringMatching(/in flight/), data: { retryAfter: 0.5 } } };

describe('InjectedCalls', () => {
  test('writes one call at a time, in order, each with an id of its own', () => {
    const { add, answer, written, calls } = createHarness();
    const added = [add(), add(), add()];
    expect(written).toHaveLength(1);
    for (let index = 0; index < 3; index += 1) {
      expect(calls.expectsResponse).toBe(true);
      expect(answer(index, { n: index })).toBe(true);
    }
    expect(calls.expectsResponse).toBe(false);
    expect(added.map(({ answers }) => answers)).toEqual([0, 1, 2].map((n) => [{ result: { n } }]));
    expect(written[0]).toBe(
      '{"jsonrpc":"2.0","id":"swarmlens-x-1","method":"tools/call","params":{"name":"agent_list"}}\n',
    );
    expect(new Set(written.map((line) => parseMessages(Buffer.from(line))[0]?.id)).size).toBe(3);
  });

  test('holds calls until it may write', () => {
    const { add, state, written, calls } = createHarness();
    state.canWrite = false;
    add();
    calls.flush();
    expect(written).toHaveLength(0);
    state.canWrite = true;
    calls.flush();
    expect(written).toHaveLength(1);
  });

  test('rejects calls that wait longer than one second for a busy client, except requests of the handshake', () => {
    const { add, state, clock, written, calls } = createHarness();
    Object.assign(state, { canWrite: false, isClientBusy: true });
    const [list, call, ping] = [add('tools/list'), add(), add('ping')];
    clock.advance(999);
    expect(call.answers).toEqual([]);
    clock.advance(1);
    expect(call.answers).toEqual([BUSY]);
    expect(ping.answers).toEqual([BUSY]);
    clock.advance(60_000);
    expect(list.answers).toEqual([]);
    state.canWrite = true;
    calls.flush();
    expect(written).toHaveLength(1);
    expect(written[0]).toContain('tools/list');
  });

  test('keeps calls waiting while the server does not answer an injected call', () => {
    const { add, clock } = createHarness();
    add();
    const second = add();
    clock.advance(5_000);
    expect(second.answers).toEqual([]);
  });

  test('rejects an unanswered call after 10 seconds and still recognizes its late response', () => {
    const { add, answer, clock, calls, written } = createHarness();
    const [first, second] = [add(), add()];
    clock.advance(10_000);
    expect(first.answers).toEqual([{ error: { code: -32_000, message: expect.stringMatching(/within 10000 ms/) } }]);
    expect(written).toHaveLength(2);
    expect(answer(1)).toBe(true);
    expect(second.answers).toEqual([{ result: {} }]);
    expect(calls.expectsResponse).toBe(true);
    expect(answer(0)).toBe(true);
    expect(answer(0)).toBe(true);
    expect(calls.expectsResponse).toBe(false);
    expect(first.answers).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('discards disposed calls that wait and waits for the response of a disposed call in flight', () => {
    const { add, answer, clock, written } = createHarness();
    const [current, waiting, last] = [add(), add(), add()];
    current.drop();
    waiting.drop();
    expect(written).toHaveLength(1);
    answer(0);
    expect(written).toHaveLength(2);
    answer(1);
    expect([current, waiting, last].map(({ answers }) => answers.length)).toEqual([0, 0, 1]);
    const hanging = add();
    hanging.drop();
    const next = add();
    clock.advance(10_000);
    expect(written).toHaveLength(4);
    answer(3);
    expect(next.answers).toEqual([{ result: {} }]);
  });

  test('ignores responses with foreign ids', () => {
    const { calls } = createHarness();
    const none = { method: undefined, params: undefined, result: {}, error: undefined };
    for (const id of [1, '1', 'swarmlens-', undefined]) expect(calls.handleResponse({ ...none, id })).toBe(false);
  });

  test('rejects calls beyond 64 waiting calls, and all calls when the session ends', () => {
    const { add, state, calls } = createHarness();
    state.canWrite = false;
    const waiting = Array.from({ length: 64 }, () => add());
    expect(add().answers).toEqual([{ error: expect.objectContaining({ message: 'too many calls are waiting' }) }]);
    calls.rejectAll();
    for (const { answers } of waiting) {
      expect(answers).toEqual([{ error: { code: -32_000, message: 'the session is ending' } }]);
    }
  });
});
