import { describe, expect, test } from 'vitest';
import type { RpcMessage } from '../../src/tap/rpc-message.js';
import { parseMessages } from '../../src/tap/rpc-message.js';
import { type InjectedResponse, InjectedCalls } from '../../src/tap/injected-calls.js';
import { ManualClock } from '../support/manual-clock.js';

const CALL = { method: 'tools/call', params: { name: 'agent_list' } };

interface Stage {
  readonly clock: ManualClock;
  readonly calls: InjectedCalls;
  /** Lines that were written to the server. */
  readonly written: string[];
  state: { mayWrite: boolean; isBusy: boolean };
  readonly ask: (method?: string) => { answers: InjectedResponse[]; drop: () => void };
  readonly answer: (index: number, result?: unknown) => boolean;
}

function stage(): Stage {
  const clock = new ManualClock();
  const written: string[] = [];
  const state = { mayWrite: true, isBusy: false };
  const calls = new InjectedCalls({
    prefix: 'swarmlens-x-',
    clock,
    canWrite: () => state.mayWrite,
    isClientBusy: () => state.isBusy,
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
    ask(method = CALL.method) {
      const answers: InjectedResponse[] = [];
      const call = calls.add({ ...CALL, method }, (answer) => answers.push(answer));
      return { answers, drop: () => call[Symbol.dispose]() };
    },
    answer: (index, result = {}) =>
      calls.handleResponse({ id: sent(index).id, method: undefined, params: undefined, result, error: undefined }),
  };
}

const BUSY = { error: { code: -32_000, message: expect.stringMatching(/in flight/), data: { retryAfter: 0.5 } } };

describe('calls of our own', () => {
  test('are written one at a time, in order, each with an id of its own', () => {
    const { ask, answer, written, calls } = stage();
    const asked = [ask(), ask(), ask()];
    expect(written).toHaveLength(1);
    for (let index = 0; index < 3; index += 1) {
      expect(calls.expectsResponse).toBe(true);
      expect(answer(index, { n: index })).toBe(true);
    }
    expect(calls.expectsResponse).toBe(false);
    expect(asked.map(({ answers }) => answers)).toEqual([0, 1, 2].map((n) => [{ result: { n } }]));
    expect(written[0]).toBe(
      '{"jsonrpc":"2.0","id":"swarmlens-x-1","method":"tools/call","params":{"name":"agent_list"}}\n',
    );
    expect(new Set(written.map((line) => parseMessages(Buffer.from(line))[0]?.id)).size).toBe(3);
  });

  test('wait until they may be written', () => {
    const { ask, state, written, calls } = stage();
    state.mayWrite = false;
    ask();
    calls.flush();
    expect(written).toHaveLength(0);
    state.mayWrite = true;
    calls.flush();
    expect(written).toHaveLength(1);
  });

  test('that wait for the person longer than a second are put off, those of the handshake are not', () => {
    const { ask, state, clock, written, calls } = stage();
    Object.assign(state, { mayWrite: false, isBusy: true });
    const [list, call, ping] = [ask('tools/list'), ask(), ask('ping')];
    clock.advance(999);
    expect(call.answers).toEqual([]);
    clock.advance(1);
    expect(call.answers).toEqual([BUSY]);
    expect(ping.answers).toEqual([BUSY]);
    clock.advance(60_000);
    expect(list.answers).toEqual([]);
    state.mayWrite = true;
    calls.flush();
    expect(written).toHaveLength(1);
    expect(written[0]).toContain('tools/list');
  });

  test('are not put off by a server that does not answer us', () => {
    const { ask, clock } = stage();
    ask();
    const second = ask();
    clock.advance(5_000);
    expect(second.answers).toEqual([]);
  });

  test('that are not answered are given up, and a late answer is still known as ours', () => {
    const { ask, answer, clock, calls, written } = stage();
    const [first, second] = [ask(), ask()];
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

  test('that nobody wants any more are not written, or not answered, and keep their turn until they are over', () => {
    const { ask, answer, clock, written } = stage();
    const [current, waiting, last] = [ask(), ask(), ask()];
    current.drop();
    waiting.drop();
    expect(written).toHaveLength(1);
    answer(0);
    expect(written).toHaveLength(2);
    answer(1);
    expect([current, waiting, last].map(({ answers }) => answers.length)).toEqual([0, 0, 1]);
    const hanging = ask();
    hanging.drop();
    const next = ask();
    clock.advance(10_000);
    expect(written).toHaveLength(4);
    answer(3);
    expect(next.answers).toEqual([{ result: {} }]);
  });

  test('of others are not taken for ours', () => {
    const { calls } = stage();
    const none = { method: undefined, params: undefined, result: {}, error: undefined };
    for (const id of [1, '1', 'swarmlens-', undefined]) expect(calls.handleResponse({ ...none, id })).toBe(false);
  });

  test('are refused when 64 wait, and all when the session ends', () => {
    const { ask, state, calls } = stage();
    state.mayWrite = false;
    const waiting = Array.from({ length: 64 }, () => ask());
    expect(ask().answers).toEqual([{ error: expect.objectContaining({ message: 'too many calls are waiting' }) }]);
    calls.rejectAll();
    for (const { answers } of waiting) {
      expect(answers).toEqual([{ error: { code: -32_000, message: 'the session is ending' } }]);
    }
  });
});
