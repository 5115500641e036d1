import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  connectSession,
  type McpSession,
  SessionClosedError,
  ToolCallTimeoutError,
  TransportError,
} from '../../src/mcp/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { waitUntil } from '../support/wait.js';
import type { Call, Peer } from './peer.js';
import { call, CALL, connectOptions, outcomeOf, recordingLogger, guarded } from './support.js';

export interface TransportHarness {
  readonly start: () => Promise<Peer>;
  /** Noise that servers write between messages. */
  readonly noise: readonly Buffer[];
  /** Expected close event when the server closes the session. */
  readonly closed: { readonly reason: string; readonly isOrderly: boolean };
  /** Number of connections in the leak test. Connections with a child process take longer. */
  readonly rounds: number;
  /** Number of ids to compare for each of two sessions. Each id costs a call. */
  readonly ids: number;
  /** Resource types of `process.getActiveResourcesInfo()` that only sessions hold during the test. */
  readonly resources: readonly string[];
}

const MEGABYTE = 1024 * 1024;
/** Timeout in milliseconds of the call that a test lets expire. No other delay has this length. */
const CALL_TIMEOUT_MS = 3_600_000;
/** Character of four bytes in UTF-8. */
const BEE = '🐝';

/** Defines the tests that every transport must pass. */
export function describeTransport(
  name: string,
  { start, noise, closed, rounds, ids: idCount, resources }: TransportHarness,
): void {
  const connect = (peer: Peer): Promise<McpSession> => connectSession(peer.endpoint, connectOptions());

  /** Returns the methods that a session sends before `initialize`. */
  const probes = ({ endpoint }: Peer): string[] =>
    endpoint.type === 'http' || endpoint.type === 'stdio' ? ['server/discover'] : [];

  /** Starts a call. Returns its outcome and the call as the peer received it. */
  async function calling(session: McpSession, peer: Peer, args = {}): Promise<[Promise<unknown>, Call]> {
    const answer = outcomeOf(call(session, 'echo', args).then(({ value }) => value));
    return [answer, await peer.nextCall()];
  }

  /** Expects that the session still answers calls. */
  async function expectHealthy(session: McpSession, peer: Peer): Promise<void> {
    const [answer, pending] = await calling(session, peer, { still: 'here' });
    await peer.answer(pending);
    expect(await answer).toEqual({ still: 'here' });
  }

  describe(`session over ${name}`, () => {
    test('performs the handshake and lists the tools', async () => {
      await using peer = await start();
      await using session = await connect(peer);
      expect(session.identity).toMatchObject({ name: 'peer', version: '1', capabilities: ['tools'] });
      expect(session.tools).toEqual([{ name: 'echo', description: 'says it again' }]);
      expect(peer.received.map(({ method }) => method)).toEqual([
        ...probes(peer),
        'initialize',
        'notifications/initialized',
        'tools/list',
      ]);
      await expectHealthy(session, peer);
    });

    test('matches answers to concurrent calls in any order', async () => {
      await using peer = await start();
      await using session = await connect(peer);
      const answers = [1, 2, 3, 4].map((n) => call(session, 'echo', { n }));
      const calls: Call[] = [];
      for (const _answer of answers) calls.push(await peer.nextCall());
      for (const pending of calls.reverse()) await peer.answer(pending);
      expect((await Promise.all(answers)).map(({ value }) => value)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
    });

    test('reassembles an answer that arrives in pieces', async () => {
      await using peer = await start();
      await using session = await connect(peer);
      const [answer, pending] = await calling(session, peer, { in: 'pieces' });
      const bytes = peer.answerTo(pending.rpc);
      for (let at = 0; at < bytes.length; at += 20) {
        await pending.line.write(bytes.subarray(at, at + 20), pending.rpc.id);
      }
      expect(await answer).toEqual({ in: 'pieces' });
    });

    test('splits answers that arrive together', async () => {
      await using peer = await start();
      await using session = await connect(peer);
      const [one, first] = await calling(session, peer, { n: 1 });
      const [two, second] = await calling(session, peer, { n: 2 });
      const newline = Buffer.from('\n');
      await first.line.write(Buffer.concat([second, first].flatMap(({ rpc }) => [peer.answerTo(rpc), newline])));
      expect(await Promise.all([one, two])).toEqual([{ n: 1 }, { n: 2 }]);
    });

    test('decodes a character whose bytes arrive in two pieces', async () => {
      await using peer = await start();
      await using session = await connect(peer);
      for (const cut of [1, 2, 3]) {
        const [answer, pending] = await calling(session, peer, { cut, BEE });
        const bytes = peer.answerTo(pending.rpc);
        const place = bytes.indexOf(BEE) + cut;
        await pending.line.write(bytes.subarray(0, place), pending.rpc.id);
        await pending.line.write(bytes.subarray(place), pending.rpc.id);
        expect(await answer).toEqual({ cut, BEE });
      }
    });

    test('ignores noise, errors without an id and foreign answers, and logs them once', async () => {
      await using peer = await start();
      const { logger, lines } = recordingLogger();
      await using session = await connectSession(peer.endpoint, connectOptions({ logger }));
      const [answer, pending] = await calling(session, peer, { n: 1 });
      const error = { code: -32603, message: 'without an id' };
      const result = { content: [] };
      for (const bytes of [
        ...noise,
        peer.encode({ jsonrpc: '2.0', error }),
        peer.encode({ jsonrpc: '2.0', id: null, error }),
        peer.encode({ jsonrpc: '2.0', id: 0, result }),
        peer.encode({ jsonrpc: '2.0', id: 'swarmlens-of-another-2', result }),
        peer.encode({ jsonrpc: '2.0', method: 'notifications/nobody_knows' }),
        ...noise,
      ]) {
        await pending.line.write(bytes);
      }
      await peer.answer(pending);
      expect(await answer).toEqual({ n: 1 });
      await expectHealthy(session, peer);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ level: 'debug', message: 'unexpected message from server' });
    });

    test('ignores a second answer and the answer to an aborted call', async () => {
      await using peer = await start();
      await using session = await connect(peer);
      const [answer, pending] = await calling(session, peer);
      const { rpc, line } = pending;
      await line.write(peer.answerTo(rpc, 'first'), rpc.id);
      await line.write(peer.answerTo(rpc, 'second'), rpc.id);
      expect(await answer).toBe('first');
      const stop = new AbortController();
      const aborted = outcomeOf(session.callTool('echo', {}, { ...CALL, signal: guarded(stop.signal) }));
      const late = await peer.nextCall();
      const reason = new Error('no longer needed');
      stop.abort(reason);
      expect(await aborted).toBe(reason);
      expect(await outcomeOf(session.callTool('echo', {}, { ...CALL, signal: guarded(stop.signal) }))).toBe(reason);
      await peer.until(() => peer.received.at(-1)?.method === 'notifications/cancelled');
      expect(peer.received.at(-1)?.params?.requestId).toBe(late.rpc.id);
      await peer.answer(late, 'too late');
      await expectHealthy(session, peer);
    });

    test('times out a call to a silent server and works when the server answers again', async () => {
      await using peer = await start();
      const { clock, expire } = expiringClock(CALL_TIMEOUT_MS);
      await using session = await connectSession(peer.endpoint, connectOptions({ clock }));
      const outcome = outcomeOf(session.callTool('echo', {}, { ...CALL, timeoutMs: CALL_TIMEOUT_MS }));
      const late = await peer.nextCall();
      expire();
      expect(await outcome).toEqual(new ToolCallTimeoutError('tool "echo" did not answer within 3600000 ms'));
      await peer.answer(late);
      await expectHealthy(session, peer);
      const inFlight = outcomeOf(call(session, 'echo'));
      await peer.nextCall();
      await session[Symbol.asyncDispose]();
      expect(await inFlight).toEqual(new SessionClosedError('the session was closed'));
      expect(await session.closed).toBeNull();
    });

    test('reports the cause and rejects all calls when the server closes', async () => {
      await using peer = await start();
      await using session = await connect(peer);
      const [answer, pending] = await calling(session, peer);
      await peer.answer(pending);
      await answer;
      const [inFlight] = await calling(session, peer);
      pending.line.close();
      const { reason, isOrderly } = closed;
      const error = new SessionClosedError(reason, isOrderly);
      // Over HTTP, the next call reveals the close.
      expect(await outcomeOf(call(session, 'echo'))).toEqual(error);
      expect(await session.closed).toEqual(error);
      expect(await inFlight).toEqual(error);
      expect(await outcomeOf(call(session, 'echo'))).toEqual(error);
    });

    test('accepts an answer of 9.5 MB and closes on an answer of more than 10 MB', async () => {
      await using peer = await start();
      await using session = await connect(peer);
      const [answer, pending] = await calling(session, peer);
      // Longer strings would be shortened.
      const large = Array.from({ length: 9.5 * 16 }, () => 'x'.repeat(MEGABYTE / 16));
      await peer.answer(pending, large);
      expect(await answer).toEqual(large);
      const [outcome, flooded] = await calling(session, peer);
      const written = peer.answer(flooded, 'x'.repeat(10 * MEGABYTE));
      const reason = new SessionClosedError('the server sent a message of more than 10 MB');
      expect(await outcome).toEqual(reason);
      expect(await session.closed).toEqual(reason);
      await outcomeOf(written);
    });

    test('uses string ids that no other session uses', async () => {
      await using peer = await start();
      await using one = await connect(peer);
      await using other = await connect(peer);
      for (let n = 0; n < idCount; n += 1) {
        const answers = [one, other].map((session) => call(session, 'echo', { n }));
        for (const _answer of answers) await peer.answer(await peer.nextCall());
        expect((await Promise.all(answers)).map(({ value }) => value)).toEqual([{ n }, { n }]);
      }
      const ids = peer.received.flatMap(({ id }) => id ?? []);
      // Each session also sends initialize and tools/list, and some a probe.
      expect(ids).toHaveLength(2 * (idCount + 2 + probes(peer).length));
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.every((id) => typeof id === 'string' && id.startsWith('swarmlens-'))).toBe(true);
    });

    test('can be disposed twice and concurrently', async () => {
      await using peer = await start();
      const session = await connect(peer);
      await Promise.all([session[Symbol.asyncDispose](), session[Symbol.asyncDispose]()]);
      await session[Symbol.asyncDispose]();
      expect(await session.closed).toBeNull();
      expect(await outcomeOf(call(session, 'echo'))).toEqual(new SessionClosedError('the session was closed'));
      await peer.until(() => peer.openCount() === 0);
    });
  });

  describe(`connectSession over ${name}`, () => {
    test('rejects with the reason and closes its connection when it is aborted during the handshake', async () => {
      await using peer = await start();
      peer.isMute = true;
      const stop = new AbortController();
      const attempt = outcomeOf(connectSession(peer.endpoint, connectOptions({ signal: stop.signal })));
      await peer.until(() => peer.received.length > 0);
      const reason = new Error('shutting down');
      stop.abort(reason);
      expect(await attempt).toBe(reason);
      await peer.until(() => peer.openCount() === 0);
      expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
    });

    test('rejects with the reason and leaves no connection when it is aborted immediately', async () => {
      await using peer = await start();
      const stop = new AbortController();
      const attempt = outcomeOf(connectSession(peer.endpoint, connectOptions({ signal: stop.signal })));
      const reason = new Error('at once');
      stop.abort(reason);
      expect(await attempt).toBe(reason);
      expect(await outcomeOf(connectSession(peer.endpoint, connectOptions({ signal: stop.signal })))).toBe(reason);
      await peer.until(() => peer.openCount() === 0);
    });

    test('reports the timeout when the server does not answer', async () => {
      await using peer = await start();
      peer.isMute = true;
      const outcome = await outcomeOf(connectSession(peer.endpoint, connectOptions({ connectTimeoutMs: 300 })));
      expect(outcome).toBeInstanceOf(TransportError);
      expect(String(outcome)).toContain('no answer within 300 ms');
      await peer.until(() => peer.openCount() === 0);
    });

    test(`leaves no connection, timer, listener or child after ${rounds} sessions`, async () => {
      await using peer = await start();
      const { clock, waiting } = countingClock();
      const { signal } = new AbortController();
      const held = (): number =>
        process.getActiveResourcesInfo().filter((resource) => resources.includes(resource)).length;
      // Resources that the first session creates once, such as a connection pool, may remain.
      await using first = await connectSession(peer.endpoint, connectOptions({ clock, signal }));
      await first[Symbol.asyncDispose]();
      await peer.until(() => peer.openCount() === 0);
      const before = held();
      for (let round = 0; round < rounds; round += 1) {
        await using session = await connectSession(peer.endpoint, connectOptions({ clock, signal }));
        expect(session.tools).toHaveLength(1);
      }
      await waitUntil(() => peer.openCount() === 0 && waiting() === 0 && held() <= before, {
        state: () => ({ open: peer.openCount(), waiting: waiting(), held: held(), before }),
      });
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      expect(peer.received.filter(({ method }) => method === 'initialize')).toHaveLength(rounds + 1);
    });
  });
}

/** Creates a clock that counts pending timers. */
function countingClock(): { clock: Clock; waiting: () => number } {
  const timers = new Set<object>();
  const schedule: Clock['schedule'] = (delayMs, callback) => {
    const key = {};
    timers.add(key);
    const timer = systemClock.schedule(delayMs, () => {
      timers.delete(key);
      callback();
    });
    return {
      [Symbol.dispose]: () => {
        timers.delete(key);
        timer[Symbol.dispose]();
      },
    };
  };
  return { clock: { ...systemClock, schedule }, waiting: () => timers.size };
}

/** Creates a clock on which delays of `delayMs` end when the test calls `expire`. */
function expiringClock(delayMs: number): { clock: Clock; expire: () => void } {
  const waiting: (() => void)[] = [];
  const schedule: Clock['schedule'] = (delay, callback) => {
    if (delay !== delayMs) return systemClock.schedule(delay, callback);
    waiting.push(callback);
    return {
      [Symbol.dispose]: () => {
        const place = waiting.indexOf(callback);
        if (place >= 0) waiting.splice(place, 1);
      },
    };
  };
  return {
    clock: { ...systemClock, schedule },
    expire: () => {
      for (const callback of waiting.splice(0)) callback();
    },
  };
}
