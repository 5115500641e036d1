import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { LivenessMonitor } from '../../src/server/limits/liveness-monitor.js';
import { SendBuffer } from '../../src/server/websocket/send-buffer.js';
import { ManualClock, settled } from '../support/manual-clock.js';

const MARK = 100_000;

/** SendBuffer on a socket whose peer never reads. */
class SendBufferSetup implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly buffer: SendBuffer;
  readonly stream: Socket;
  pings = 0;
  drains = 0;
  unresponsive = 0;
  readonly #liveness: LivenessMonitor;
  readonly #close: () => Promise<void>;

  private constructor(stream: Socket, maxSlowMs: number | null, close: () => Promise<void>) {
    this.stream = stream;
    this.#close = close;
    this.#liveness = new LivenessMonitor({ clock: this.clock, maxSlowMs });
    this.buffer = new SendBuffer(stream, {
      clock: this.clock,
      liveness: this.#liveness,
      maxBufferedBytes: MARK,
      onPingNeeded: () => this.buffer.ping(),
      sendPing: () => (this.pings += 1),
    });
    this.#liveness.watch({
      waitingSinceMs: () => this.buffer.waitingSinceMs,
      closeUnresponsive: () => (this.unresponsive += 1),
    });
    this.buffer.onDrain(() => (this.drains += 1));
  }

  static async open(maxSlowMs: number | null = null): Promise<SendBufferSetup> {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const accepted = once(server, 'connection');
    const stream = connect(address.port, '127.0.0.1');
    const [peer] = (await accepted) as [Socket]; // argument of the event
    await once(stream, 'connect');
    return new SendBufferSetup(stream, maxSlowMs, async () => {
      stream.destroy();
      peer.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
  }

  /** Writes bytes that the client has not read. */
  write(bytes: number): void {
    this.stream.write(Buffer.alloc(bytes));
    this.buffer.recordSent(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.buffer[Symbol.dispose]();
    this.#liveness[Symbol.dispose]();
    expect(this.clock.pending).toBe(0);
    await this.#close();
  }
}

describe('SendBuffer', () => {
  test('pings when unread bytes exceed the mark and accepts updates up to a second mark', async () => {
    await using setup = await SendBufferSetup.open();
    setup.write(MARK);
    expect([setup.buffer.canSend(), setup.pings]).toEqual([true, 0]);
    setup.write(1);
    expect([setup.buffer.canSend(), setup.buffer.canSend(), setup.pings]).toEqual([true, true, 1]);
    setup.clock.advance(30);
    expect(setup.buffer.recordPong()).toBe(30);
    setup.write(MARK);
    expect([setup.buffer.canSend(), setup.pings]).toEqual([true, 1]);
  });

  test('rejects updates when unread bytes reach twice the mark, until nearly all are read', async () => {
    await using setup = await SendBufferSetup.open();
    setup.write(MARK + 1);
    expect(setup.buffer.canSend()).toBe(true);
    setup.write(MARK);
    expect(setup.buffer.canSend()).toBe(false);
    expect([setup.buffer.isSlow, setup.pings]).toEqual([true, 1]);
    // The pong answers the ping that preceded the second half.
    setup.buffer.recordPong();
    expect([setup.buffer.canSend(), setup.buffer.isSlow, setup.pings, setup.drains]).toEqual([false, true, 2, 0]);
    // Other messages, such as pings, are sent despite backpressure.
    setup.write(1_000);
    setup.buffer.recordPong();
    expect([setup.buffer.canSend(), setup.buffer.isSlow, setup.pings, setup.drains]).toEqual([true, false, 2, 1]);
  });

  test('rejects updates when unsent bytes exceed the mark', async () => {
    await using setup = await SendBufferSetup.open();
    setup.stream.cork();
    setup.write(MARK + 1);
    expect(setup.buffer.canSend()).toBe(false);
    expect(setup.buffer.bufferedBytes).toBe(MARK + 1);
    const drained = once(setup.stream, 'drain');
    setup.stream.uncork();
    await drained;
    expect(setup.buffer.canSend()).toBe(false);
    setup.buffer.recordPong();
    expect(setup.buffer.canSend()).toBe(true);
    expect(setup.drains).toBe(1);
  });

  test('resolves drained at once while the client keeps up, and otherwise when it has read or is gone', async () => {
    await using setup = await SendBufferSetup.open();
    await setup.buffer.drained();
    setup.write(3 * MARK);
    let drained = 0;
    const wait = async (): Promise<void> => {
      await setup.buffer.drained();
      drained += 1;
    };
    const first = wait();
    await settled();
    expect(drained).toBe(0);
    setup.buffer.recordPong();
    await settled();
    await first;
    expect(drained).toBe(1);
    setup.write(3 * MARK);
    const second = wait();
    await settled();
    expect(drained).toBe(1);
    setup.buffer[Symbol.dispose]();
    await second;
    expect(drained).toBe(2);
  });

  test('reports a slow client as unresponsive after the limit, unless it catches up in time', async () => {
    await using setup = await SendBufferSetup.open(1_000);
    setup.write(3 * MARK);
    setup.buffer.canSend();
    await setup.clock.pass(900, 100);
    setup.buffer.recordPong();
    setup.buffer.recordPong();
    await setup.clock.pass(5_000, 100);
    expect(setup.unresponsive).toBe(0);
    setup.write(3 * MARK);
    setup.buffer.canSend();
    await setup.clock.pass(1_200, 100);
    expect(setup.unresponsive).toBeGreaterThan(0);
  });

  test('reports a slow client as unresponsive although it answers pings, because it never catches up', async () => {
    await using setup = await SendBufferSetup.open(1_000);
    setup.write(3 * MARK);
    setup.buffer.canSend();
    for (let round = 0; round < 13; round += 1) {
      setup.write(MARK);
      setup.buffer.recordPong();
      await setup.clock.pass(100);
    }
    expect(setup.unresponsive).toBeGreaterThan(0);
  });

  test('counts from the oldest of an unanswered ping and the begin of slowness', async () => {
    await using setup = await SendBufferSetup.open(1_000);
    setup.buffer.ping();
    const pingedAtMs = setup.buffer.waitingSinceMs;
    await setup.clock.pass(600, 100);
    setup.write(3 * MARK);
    setup.buffer.canSend();
    // A reader with more unread data does not live longer.
    expect(setup.buffer.waitingSinceMs).toBe(pingedAtMs);
    setup.buffer.recordPong();
    expect(setup.buffer.waitingSinceMs).toBe(600);
  });

  test('needs a ping when more than half of the mark is unread, or when the last one is old', async () => {
    await using setup = await SendBufferSetup.open();
    expect(setup.buffer.isPingDue(-1)).toBe(true);
    setup.clock.advance(10);
    setup.buffer.ping();
    expect([setup.buffer.isPinged, setup.buffer.isPingDue(10)]).toEqual([true, false]);
    setup.buffer.recordPong();
    expect([setup.buffer.isPinged, setup.buffer.isPingDue(9), setup.buffer.isPingDue(10)]).toEqual([
      false,
      false,
      true,
    ]);
    setup.write(MARK / 2);
    expect(setup.buffer.isPingDue(9)).toBe(false);
    setup.write(1);
    expect(setup.buffer.isPingDue(9)).toBe(true);
    setup.write(2 * MARK);
    setup.buffer.canSend();
    expect([setup.buffer.isSlow, setup.buffer.isPingDue(10)]).toEqual([true, false]);
    setup.buffer.recordPong();
    // Bytes that were sent before the ping are read.
    expect([setup.buffer.isSlow, setup.buffer.isPingDue(9)]).toEqual([false, false]);
  });

  test('does nothing but measure when a client that is not slow answers a ping', async () => {
    await using setup = await SendBufferSetup.open();
    for (const unreadBytes of [0, MARK]) {
      setup.buffer.ping();
      setup.write(unreadBytes);
      setup.buffer.recordPong();
      expect([setup.buffer.isPinged, setup.drains]).toEqual([false, 0]);
    }
  });

  test('sends no second ping while one is unanswered, and ignores a pong without a ping', async () => {
    await using setup = await SendBufferSetup.open();
    expect(setup.buffer.recordPong()).toBeNull();
    for (const _ of [1, 2]) setup.buffer.ping();
    expect(setup.pings).toBe(1);
  });

  test('stays slow while more than half of the mark is unread', async () => {
    await using setup = await SendBufferSetup.open();
    const { buffer } = setup;
    setup.write(3 * MARK);
    buffer.canSend();
    setup.write(MARK / 2 + 1);
    buffer.recordPong();
    expect([buffer.isSlow, setup.pings, setup.drains]).toEqual([true, 2, 0]);
    setup.write(MARK / 2);
    buffer.recordPong();
    expect([buffer.isSlow, setup.pings, setup.drains]).toEqual([false, 2, 1]);
  });

  test('accepts updates up to exactly the mark of unsent bytes and twice the mark of unread bytes', async () => {
    await using setup = await SendBufferSetup.open();
    setup.stream.cork();
    setup.write(MARK);
    expect(setup.buffer.canSend()).toBe(true);
    setup.write(1);
    expect(setup.buffer.canSend()).toBe(false);
    await using unread = await SendBufferSetup.open();
    unread.buffer.recordSent(2 * MARK);
    expect(unread.buffer.canSend()).toBe(true);
    unread.buffer.recordSent(1);
    expect(unread.buffer.canSend()).toBe(false);
  });

  test('uses the high-water mark of the stream when that is larger', () => {
    const clock = new ManualClock();
    const buffer = new SendBuffer(new PassThrough({ writableHighWaterMark: MARK }), {
      clock,
      liveness: { nowMs: 0 },
      maxBufferedBytes: 1,
      onPingNeeded: () => undefined,
      sendPing: () => undefined,
    });
    buffer.recordSent(2 * MARK);
    expect(buffer.canSend()).toBe(true);
    buffer.recordSent(1);
    expect(buffer.canSend()).toBe(false);
  });

  test('waits for nothing when the client has read everything', async () => {
    await using setup = await SendBufferSetup.open();
    expect(setup.buffer.waitingSinceMs).toBeNull();
    setup.clock.advance(5);
    setup.buffer.ping();
    const pingedAtMs = setup.buffer.waitingSinceMs;
    expect(pingedAtMs).not.toBeNull();
    setup.buffer.recordPong();
    expect(setup.buffer.waitingSinceMs).toBeNull();
  });

  test('is neither slow nor accepts or pings after it is disposed, and notifies its listeners', async () => {
    await using setup = await SendBufferSetup.open();
    setup.write(3 * MARK);
    setup.buffer.canSend();
    setup.buffer[Symbol.dispose]();
    expect([setup.buffer.isSlow, setup.buffer.canSend(), setup.drains]).toEqual([false, false, 1]);
    setup.buffer.recordPong();
    setup.buffer.ping();
    expect(setup.pings).toBe(1);
    await setup.buffer.drained();
  });

  test('notifies a listener until it is disposed', async () => {
    await using setup = await SendBufferSetup.open();
    let calls = 0;
    const listener = setup.buffer.onDrain(() => (calls += 1));
    setup.write(3 * MARK);
    setup.buffer.canSend();
    setup.buffer.recordPong();
    listener[Symbol.dispose]();
    setup.write(3 * MARK);
    setup.buffer.canSend();
    setup.buffer.recordPong();
    expect([calls, setup.drains]).toEqual([1, 2]);
  });
});
