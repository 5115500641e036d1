import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import type { GroupMember } from '../../../src/delivery/index.js';
import { CloseCounters } from '../../../src/server/limits/close-counters.js';
import { LivenessMonitor } from '../../../src/server/limits/liveness-monitor.js';
import { FrameWriter } from '../../../src/server/sharing/frame-writer.js';
import { SharedMessage } from '../../../src/server/sharing/shared-message.js';
import { Connection } from '../../../src/server/websocket/connection.js';
import { SocketSubscription } from '../../../src/server/websocket/socket-subscription.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { FakeSocket } from '../../support/fake-socket.js';
import { ManualClock, settled } from '../../support/manual-clock.js';

const MARK = 100_000;
const DONE = { done: true, value: undefined };
const AFTER: GroupMember<SharedMessage>['after'] = null;

describe('SocketSubscription', () => {
  let inner: FakeSocket;
  let stream: PassThrough;
  let connection: Connection;
  let members: Set<GroupMember<SharedMessage>>;
  let ready: number;

  beforeEach(() => {
    const clock = new ManualClock();
    inner = new FakeSocket();
    stream = new PassThrough();
    members = new Set();
    ready = 0;
    connection = new Connection(inner.socket, stream, () => ({}), {
      clock,
      liveness: new LivenessMonitor({ clock, maxSlowMs: null }),
      maxBufferedBytes: MARK,
      closes: new CloseCounters(),
      logger: silentLogger,
      onPingNeeded: () => undefined,
      onRoundTrip: () => undefined,
    });
  });

  function subscribe(acceptsSharedDeflate = false): SocketSubscription {
    const shared = {
      after: AFTER,
      join: (member: GroupMember<SharedMessage>) => {
        members.add(member);
        return { notifyReady: () => (ready += 1), [Symbol.dispose]: () => void members.delete(member) };
      },
    };
    return new SocketSubscription(shared, 'id', { connection, acceptsSharedDeflate });
  }

  const message = (text: string): SharedMessage =>
    new SharedMessage([JSON.stringify({ text })], 2, new FrameWriter(), { threshold: 1 });

  test('joins its group, and writes messages with its id', () => {
    const subscription = subscribe();
    expect([subscription.after, members.has(subscription), subscription.canReceive()]).toEqual([AFTER, true, true]);
    subscription.deliver(message('one'));
    expect(String(stream.read())).toContain('{"id":"id","type":"next","payload":{"text":"one"}}');
  });

  test('writes compressed messages to a client that can decompress them', () => {
    subscribe(true).deliver(message('x'.repeat(1_000)));
    const [first, second] = (stream.read() as Buffer).subarray(0, 2); // a stream without an encoding
    expect([first, second]).toEqual([0xc1, expect.any(Number)]);
  });

  test('counts what it writes, receives nothing while the client is slow, and notifies its group afterwards', async () => {
    const subscription = subscribe();
    subscription.deliver(message('x'.repeat(2 * MARK)));
    stream.resume();
    await settled();
    expect(subscription.canReceive()).toBe(false);
    expect(ready).toBe(0);
    for (const _ of [1, 2]) inner.emit('pong');
    expect(ready).toBe(1);
    expect(subscription.canReceive()).toBe(true);
  });

  test('writes nothing when the WebSocket is closing', () => {
    inner.readyState = 2;
    subscribe().deliver(message('one'));
    expect(stream.read()).toBeNull();
  });

  test('yields nothing until it returns, leaves its group and is notified no more', async () => {
    const subscription = subscribe();
    expect(subscription[Symbol.asyncIterator]()).toBe(subscription);
    let result: unknown = null;
    const next = subscription.next().then((done) => (result = done));
    await settled();
    expect(result).toBeNull();
    expect(await subscription.return()).toEqual(DONE);
    await next;
    expect([result, members.size]).toEqual([DONE, 0]);
    connection.sendBuffer[Symbol.dispose]();
    expect(ready).toBe(0);
    expect(await subscription.next()).toEqual(DONE);
    expect(await subscription.return()).toEqual(DONE);
  });
});
