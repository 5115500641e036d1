import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { CloseCounters } from '../../../src/server/limits/close-counters.js';
import { LivenessMonitor } from '../../../src/server/limits/liveness-monitor.js';
import { Connection } from '../../../src/server/websocket/connection.js';
import { recordingLogger } from '../../mcp/support.js';
import { FakeSocket } from '../../support/fake-socket.js';
import { ManualClock, settled } from '../../support/manual-clock.js';

const MARK = 100_000;

describe('Connection', () => {
  let clock: ManualClock;
  let inner: FakeSocket;
  let closes: CloseCounters;
  let log: ReturnType<typeof recordingLogger>;
  let roundTrips: number[];
  let connection: Connection;

  beforeEach(() => {
    clock = new ManualClock();
    clock.advance(1_000);
    inner = new FakeSocket();
    closes = new CloseCounters();
    log = recordingLogger();
    roundTrips = [];
    connection = new Connection(inner.socket, new PassThrough(), () => ({ clientId: 'c' }), {
      clock,
      liveness: new LivenessMonitor({ clock, maxSlowMs: 60_000 }),
      maxBufferedBytes: MARK,
      closes,
      logger: log.logger,
      onPingNeeded: () => undefined,
      onRoundTrip: (roundTripMs) => roundTrips.push(roundTripMs),
    });
  });

  /** Emits the close event of `ws` and returns what was logged and counted. */
  function end(code = 1006, reason = ''): unknown {
    inner.readyState = 3;
    inner.emit('close', code, Buffer.from(reason));
    const lines = log.lines.filter(({ message }) => message !== 'socket error');
    expect(lines.map(({ level, message }) => [level, message])).toEqual([['debug', 'websocket closed']]);
    expect(closes.webSockets.map(({ count }) => count)).toEqual([1]);
    const { clientId, code: logged, reason: why, side, durationMs } = lines[0]?.fields ?? {};
    expect(clientId).toBe('c');
    expect(closes.webSockets[0]?.labels['side']).toBe(side);
    return { code: logged, reason: why, side, durationMs };
  }

  test('sends a ping when it opens, and reports the round trip of its pong only', () => {
    expect(inner.calls).toEqual([['ping']]);
    clock.advance(30);
    for (const _ of [1, 2]) inner.emit('pong');
    expect(roundTrips).toEqual([30]);
  });

  test('sends no ping after the WebSocket is closing', () => {
    inner.emit('pong');
    inner.readyState = 2;
    connection.sendBuffer.ping();
    expect(inner.calls).toEqual([['ping']]);
  });

  test.each([
    ['WS_ERR_INVALID_UTF8', 1007],
    ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008],
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
    ['WS_ERR_INVALID_OPCODE', 1002],
  ])('records the error %s of ws as closed by the server with %i', (code, expected) => {
    inner.emit('error', Object.assign(new Error('invalid'), { code }));
    inner.emit('error', Object.assign(new Error('later'), { code: 'WS_ERR_INVALID_CLOSE_CODE' }));
    expect(end()).toMatchObject({ code: expected, reason: code, side: 'server' });
    expect(closes.webSockets[0]?.labels['code']).toBe(`${expected}`);
  });

  test.each([[{ code: 'ECONNRESET' }], [{}], [{ code: 'X_WS_ERR_' }]])(
    'records an error of the network as closed by the client: %j',
    (fields) => {
      inner.emit('error', Object.assign(new Error('reset'), fields));
      expect(log.lines).toEqual([
        { level: 'debug', fields: { clientId: 'c', error: 'reset' }, message: 'socket error' },
      ]);
      expect(end(1006)).toMatchObject({ code: 1006, reason: '', side: 'client' });
    },
  );

  test('records code and reason of the client, and the rounded duration', () => {
    clock.advance(1_234.6);
    expect(end(4_321, 'bye')).toEqual({ code: 4_321, reason: 'bye', side: 'client', durationMs: 1_235 });
  });

  test('sends one close frame with a truncated reason, and records the whole reason', () => {
    const reason = 'ü'.repeat(100);
    connection.close(4_400, reason);
    connection.close(4_401, 'later');
    const closing = inner.calls.slice(1);
    expect(closing).toEqual([['close', 4_400, 'ü'.repeat(61)]]);
    expect(end(4_400, 'ü'.repeat(61))).toMatchObject({ code: 4_400, reason, side: 'server' });
  });

  test.each<[string, () => void, object]>([
    ['an open WebSocket as closed by the server', () => undefined, { code: 1006, reason: '', side: 'server' }],
    [
      'a WebSocket that the server closes with its close code',
      () => connection.close(1_013, 'slow'),
      { code: 1_013, reason: 'slow', side: 'server' },
    ],
    [
      'a WebSocket that the client closes as closed by the client',
      () => (inner.readyState = 2),
      { code: 1006, reason: '', side: 'client' },
    ],
  ])('terminate records %s', (_, before, expected) => {
    before();
    connection.terminate();
    expect(inner.calls.at(-1)).toEqual(['terminate']);
    expect(end()).toMatchObject(expected);
  });

  test('waits for a pong while the WebSocket is open', () => {
    clock.advance(5);
    expect([connection.waitingSinceMs(), connection.isOpen]).toEqual([0, true]);
    inner.readyState = 2;
    expect([connection.waitingSinceMs(), connection.isOpen]).toEqual([null, false]);
  });

  test('is monitored until it is closed', () => {
    expect(clock.pending).toBe(1);
    end();
    expect(clock.pending).toBe(0);
    expect(connection.sendBuffer.canSend()).toBe(false);
  });

  test('closes an unresponsive client with 1013 and the reason, and counts it', () => {
    connection.closeUnresponsive();
    expect(inner.calls.slice(1)).toEqual([['close', 1_013, 'Client did not answer a ping']]);
    expect(closes.unresponsiveClients).toEqual([{ labels: { protocol: 'websocket' }, count: 1 }]);
  });

  test('closes a slow client with 1013 and the reason', () => {
    connection.sendBuffer.recordSent(3 * MARK);
    connection.sendBuffer.canSend();
    connection.closeUnresponsive();
    expect(inner.calls.slice(1)).toEqual([['close', 1_013, 'Client reads too slowly']]);
  });

  test('sends messages uncompressed, and resolves when they are sent and the client reads', async () => {
    const message = 'ü'.repeat(MARK);
    await connection.send(message);
    expect(inner.calls.slice(1)).toEqual([['send', message, { compress: false }]]);
    let isSent = false;
    const sending = connection.send('ü').then(() => (isSent = true));
    await settled();
    // More than twice the mark is unread.
    expect([isSent, connection.sendBuffer.isSlow]).toEqual([false, true]);
    for (const _ of [1, 2]) inner.emit('pong');
    await sending;
  });

  test('resolves after the message is sent', async () => {
    let sent: () => void = () => undefined;
    inner.send = (_data, _options, callback) => {
      if (typeof callback === 'function') sent = () => void Reflect.apply(callback, undefined, []);
    };
    let isSent = false;
    const sending = connection.send('x').then(() => (isSent = true));
    await settled();
    expect(isSent).toBe(false);
    sent();
    await sending;
  });

  test('sends nothing when the WebSocket is closing', async () => {
    inner.readyState = 2;
    await connection.send('x');
    expect(inner.calls).toEqual([['ping']]);
    expect(connection.sendBuffer.canSend()).toBe(true);
  });
});
