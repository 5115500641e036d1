import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { SendBuffer } from '../../src/server/websocket/send-buffer.js';
import { ManualClock } from '../support/manual-clock.js';

const MARK = 100_000;

/** A socket whose other end never reads, with an outlet on it. */
class Bench implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly outlet: SendBuffer;
  readonly stream: Socket;
  pings = 0;
  rooms = 0;
  tooSlow = 0;
  readonly #close: () => Promise<void>;

  private constructor(stream: Socket, maxSlowMs: number | null, close: () => Promise<void>) {
    this.stream = stream;
    this.#close = close;
    this.outlet = new SendBuffer(stream, {
      clock: this.clock,
      maxBufferedBytes: MARK,
      maxSlowMs,
      onPingNeeded: () => this.outlet.ping(),
      onTooSlow: () => (this.tooSlow += 1),
      sendPing: () => (this.pings += 1),
    });
    this.outlet.onDrain(() => (this.rooms += 1));
  }

  static async open(maxSlowMs: number | null = null): Promise<Bench> {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const accepted = once(server, 'connection');
    const stream = connect(address.port, '127.0.0.1');
    const [peer] = (await accepted) as [Socket]; // what the event brings
    await once(stream, 'connect');
    return new Bench(stream, maxSlowMs, async () => {
      stream.destroy();
      peer.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
  }

  write(bytes: number): void {
    this.stream.write(Buffer.alloc(bytes));
    this.outlet.recordSent(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.outlet[Symbol.dispose]();
    expect(this.clock.pending).toBe(0);
    await this.#close();
  }
}

describe('an outlet', () => {
  test('asks whether its reader follows once a mark is unread, and has room for another', async () => {
    await using bench = await Bench.open();
    bench.write(MARK);
    expect([bench.outlet.canSend(), bench.pings]).toEqual([true, 0]);
    bench.write(1);
    expect([bench.outlet.canSend(), bench.outlet.canSend(), bench.pings]).toEqual([true, true, 1]);
    bench.clock.advance(30);
    expect(bench.outlet.recordPong()).toBe(30);
    bench.write(MARK);
    expect([bench.outlet.canSend(), bench.pings]).toEqual([true, 1]);
  });

  test('is closed at two marks unread, however little waits in the process, and opens when nearly all is read', async () => {
    await using bench = await Bench.open();
    bench.write(MARK + 1);
    expect(bench.outlet.canSend()).toBe(true);
    bench.write(MARK);
    expect(bench.outlet.canSend()).toBe(false);
    expect([bench.outlet.isSlow, bench.pings]).toEqual([true, 1]);
    // The answer to what was asked before the second half.
    bench.outlet.recordPong();
    expect([bench.outlet.canSend(), bench.outlet.isSlow, bench.pings, bench.rooms]).toEqual([false, true, 2, 0]);
    // Something that is not ours to hold back, and small.
    bench.write(1_000);
    bench.outlet.recordPong();
    expect([bench.outlet.canSend(), bench.outlet.isSlow, bench.pings, bench.rooms]).toEqual([true, false, 2, 1]);
  });

  test('is closed when more than a mark waits in the process', async () => {
    await using bench = await Bench.open();
    bench.stream.cork();
    bench.write(MARK + 1);
    expect(bench.outlet.canSend()).toBe(false);
    expect(bench.outlet.bufferedBytes).toBe(MARK + 1);
    const drained = once(bench.stream, 'drain');
    bench.stream.uncork();
    await drained;
    expect(bench.outlet.canSend()).toBe(false);
    bench.outlet.recordPong();
    expect(bench.outlet.canSend()).toBe(true);
    expect(bench.rooms).toBe(1);
  });

  test('says once that its reader is too slow, and not when it has caught up in time', async () => {
    await using bench = await Bench.open(1_000);
    bench.write(3 * MARK);
    bench.outlet.canSend();
    bench.clock.advance(999);
    bench.outlet.recordPong();
    bench.outlet.recordPong();
    bench.clock.advance(5_000);
    expect(bench.tooSlow).toBe(0);
    bench.write(3 * MARK);
    bench.outlet.canSend();
    bench.clock.advance(5_000);
    expect(bench.tooSlow).toBe(1);
  });
});
