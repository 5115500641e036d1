import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type Viewer } from '../../../src/auth/index.js';
import type { Limits } from '../../../src/config/index.js';
import { MemoryLimitCounters } from '../../../src/server/index.js';
import { CloseCounters } from '../../../src/server/limits/close-counters.js';
import { ConcurrencyLimiter } from '../../../src/server/limits/concurrency-limiter.js';
import { LivenessMonitor } from '../../../src/server/limits/liveness-monitor.js';
import { SubscriptionLimits } from '../../../src/server/plugins/subscription-limits.js';
import { Connection } from '../../../src/server/websocket/connection.js';
import { SocketLimits } from '../../../src/server/websocket/socket-limits.js';
import { SwarmlensError } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { FakeSocket } from '../../support/fake-socket.js';
import { TEST_LIMITS } from '../../support/limits.js';
import { ManualClock } from '../../support/manual-clock.js';

/** Messages that a rate of one per second allows at once. */
const BURST = 5;

describe('SocketLimits', () => {
  let clock: ManualClock;
  let counters: MemoryLimitCounters;
  let viewers: ConcurrencyLimiter;
  let inner: FakeSocket;
  let counted: (string | null)[];
  let countError: Error | null;

  beforeEach(() => {
    clock = new ManualClock();
    counters = new MemoryLimitCounters();
    viewers = new ConcurrencyLimiter(1);
    inner = new FakeSocket();
    counted = [];
    countError = null;
  });

  function limitsOf(changes: Partial<Limits> = {}): SocketLimits {
    const limits = { ...TEST_LIMITS, ...changes };
    return new SocketLimits(new IncomingMessage(new Socket()), viewers, {
      limits,
      counters,
      subscriptions: new SubscriptionLimits(limits, counters),
      requests: {
        count: (_request, viewer) => {
          counted.push(viewer?.subject ?? null);
          return countError === null ? Promise.resolve() : Promise.reject(countError);
        },
      },
      clock,
    });
  }

  function watched(changes: Partial<Limits> = {}): SocketLimits {
    const limits = limitsOf(changes);
    const connection = new Connection(inner.socket, new PassThrough(), () => ({}), {
      clock,
      liveness: new LivenessMonitor({ clock: new ManualClock(), maxSlowMs: null }),
      maxBufferedBytes: 1_000,
      closes: new CloseCounters(),
      logger: silentLogger,
      onPingNeeded: () => undefined,
      onRoundTrip: () => undefined,
    });
    inner.calls.length = 0;
    limits.watch(connection);
    return limits;
  }

  const hits = (): unknown => counters.read().filter(({ hits: count }) => count > 0);

  test('closes with 1013 once, pauses the socket and terminates it after 250 ms when messages exceed the rate', () => {
    const limits = watched({ maxMessagesPerSecond: 1 });
    for (let sent = 0; sent < BURST; sent += 1) expect(limits.acceptMessage()).toBe(true);
    expect(inner.calls).toEqual([]);
    for (const _ of [1, 2]) expect(limits.acceptMessage()).toBe(false);
    expect(hits()).toEqual([{ name: 'maxMessagesPerSecond', hits: 1 }]);
    expect(inner.calls).toEqual([['close', 1_013, 'More than 1 messages per second'], ['pause'], ['pause']]);
    expect(clock.pending).toBe(1);
    clock.advance(249);
    expect(inner.calls).toHaveLength(3);
    clock.advance(1);
    expect(inner.calls.slice(3)).toEqual([['terminate']]);
  });

  test('counts pings and pongs as messages', () => {
    watched({ maxMessagesPerSecond: 1 });
    for (const event of ['ping', 'pong', 'ping', 'pong', 'ping']) inner.emit(event);
    expect(inner.calls).toEqual([]);
    inner.emit('pong');
    expect(inner.calls[0]?.[0]).toBe('close');
  });

  test('does not count a WebSocket that is closing already', () => {
    const limits = watched({ maxMessagesPerSecond: 1 });
    inner.readyState = 2;
    for (let sent = 0; sent <= BURST; sent += 1) limits.acceptMessage();
    expect(hits()).toEqual([]);
    expect(inner.calls).toEqual([['pause']]);
  });

  test('does not terminate the WebSocket after it is disposed', () => {
    const limits = watched({ maxMessagesPerSecond: 1 });
    for (let sent = 0; sent <= BURST; sent += 1) limits.acceptMessage();
    limits[Symbol.dispose]();
    expect(clock.pending).toBe(0);
  });

  test('rejects messages before a WebSocket is watched', () => {
    const limits = limitsOf({ maxMessagesPerSecond: 1 });
    for (let sent = 0; sent < BURST; sent += 1) limits.acceptMessage();
    expect(limits.acceptMessage()).toBe(false);
    clock.advance(250);
    expect(hits()).toEqual([]);
  });

  test.each([
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', ['maxMessageBytes']],
    ['WS_ERR_TOO_MANY_BUFFERED_PARTS', ['maxMessageFragments']],
    ['WS_ERR_INVALID_UTF8', []],
  ])('counts the error %s of ws as hits of %j', (code, names) => {
    watched();
    inner.emit('error', Object.assign(new Error('invalid'), { code }));
    expect(hits()).toEqual(names.map((name) => ({ name, hits: 1 })));
  });

  test('accepts as many WebSockets of one viewer as allowed, and closes others with 1013', () => {
    const first = limitsOf();
    expect(first.acceptViewer(ANONYMOUS_VIEWER)).toBe(true);
    const second = watched({ maxConnectionsPerViewer: 1 });
    expect(second.acceptViewer(ANONYMOUS_VIEWER)).toBe(false);
    expect(inner.calls).toEqual([['close', 1_013, 'More than 1 connections per viewer']]);
    expect(hits()).toEqual([{ name: 'maxConnectionsPerViewer', hits: 1 }]);
    const other: Viewer = { ...ANONYMOUS_VIEWER, subject: 'other' };
    expect(limitsOf().acceptViewer(other)).toBe(true);
    first[Symbol.dispose]();
    expect(limitsOf().acceptViewer(ANONYMOUS_VIEWER)).toBe(true);
  });

  test('accepts no viewer before authentication, and none after it is disposed', () => {
    const limits = watched();
    expect(limits.acceptViewer(null)).toBe(false);
    limits[Symbol.dispose]();
    expect(limits.acceptViewer(ANONYMOUS_VIEWER)).toBe(false);
    expect([viewers.size, inner.calls]).toEqual([0, []]);
  });

  test('rejects more operations than allowed with LIMIT_EXCEEDED, and counts the others against the rate', async () => {
    const limits = limitsOf({ maxOperationsPerSocket: 2 });
    const viewer: Viewer = { ...ANONYMOUS_VIEWER, subject: 'ada' };
    expect(await limits.operationRejection(2, viewer)).toBeNull();
    expect(await limits.operationRejection(1, null)).toBeNull();
    expect(counted).toEqual(['ada', null]);
    expect(await limits.operationRejection(3, viewer)).toMatchObject({ extensions: { code: 'LIMIT_EXCEEDED' } });
    expect(counted).toEqual(['ada', null]);
    expect(hits()).toEqual([{ name: 'maxOperationsPerSocket', hits: 1 }]);
  });

  test('rejects an operation above the rate with its code and details, and throws other errors', async () => {
    const limits = limitsOf();
    countError = new SwarmlensError('RATE_LIMITED', 'Too many', { retryAfterMs: 7 });
    expect(await limits.operationRejection(1, null)).toMatchObject({
      message: 'Too many',
      extensions: { code: 'RATE_LIMITED', retryAfterMs: 7 },
    });
    countError = new Error('no connection to Redis');
    await expect(limits.operationRejection(1, null)).rejects.toBe(countError);
  });

  test('counts a missing connection_init by the close code of graphql-ws', () => {
    const limits = limitsOf();
    limits.recordClose(4_400);
    expect(hits()).toEqual([]);
    limits.recordClose(4_408);
    expect(hits()).toEqual([{ name: 'connectionInitTimeoutMs', hits: 1 }]);
  });
});
