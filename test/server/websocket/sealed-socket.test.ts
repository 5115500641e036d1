import { beforeEach, describe, expect, test } from 'vitest';
import { SealedSocket } from '../../../src/server/websocket/sealed-socket.js';
import { SealedChannel } from '../../../src/shared/index.js';
import { FakeSocket } from '../../support/fake-socket.js';

const KEY = Buffer.alloc(32, 1);
const NONCES = { tap: 't', swarmlens: 's' };

describe('SealedSocket', () => {
  let inner: FakeSocket;
  let tap: SealedChannel;
  let sealed: SealedSocket;
  let received: string[];

  beforeEach(() => {
    inner = new FakeSocket();
    tap = new SealedChannel(KEY, 'tap', NONCES);
    sealed = new SealedSocket(inner.socket, new SealedChannel(KEY, 'swarmlens', NONCES));
    received = [];
    sealed.on('message', (message: Buffer) => received.push(message.toString()));
  });

  test('emits decrypted messages in order', () => {
    for (const text of ['one', 'two']) inner.emit('message', tap.seal(text));
    expect(received).toEqual(['one', 'two']);
    expect(inner.calls).toEqual([]);
  });

  test.each<[string, (frames: readonly Buffer[]) => readonly Buffer[]]>([
    ['changed', ([first = Buffer.of()]) => [Buffer.from(first.map((byte, index) => (index === 0 ? byte ^ 1 : byte)))]],
    ['too short', () => [Buffer.of(1)]],
    ['repeated', ([first = Buffer.of()]) => [first, first]],
    ['out of order', ([, second = Buffer.of()]) => [second]],
  ])('closes with 4400 and terminates when a message is %s', (_, change) => {
    const frames = change([tap.seal('one'), tap.seal('two')]);
    for (const frame of frames) inner.emit('message', frame);
    expect(received).toEqual(frames.slice(1).map(() => 'one'));
    expect(inner.calls).toEqual([['close', 4400, expect.any(String)], ['terminate']]);
  });

  test('ignores messages that arrive after the WebSocket is closing', () => {
    const frames = [tap.seal('one'), Buffer.of(1)];
    inner.readyState = 2;
    for (const frame of frames) inner.emit('message', frame);
    expect({ received, calls: inner.calls }).toEqual({ received: [], calls: [] });
  });

  test('encrypts what it sends and calls back when it is sent', async () => {
    await new Promise<void>((resolve) => sealed.send('answer', resolve));
    const [[method, frame] = []] = inner.calls;
    expect(method).toBe('send');
    if (!Buffer.isBuffer(frame)) throw new TypeError('not sealed');
    expect(frame.includes('answer')).toBe(false);
    expect(tap.open(frame).toString()).toBe('answer');
  });

  test('forwards state, closing, pausing and resuming', () => {
    expect(sealed.readyState).toBe(1);
    sealed.pause();
    sealed.resume();
    sealed.close(4409, 'reason');
    expect(sealed.readyState).toBe(2);
    sealed.close(1000);
    sealed.terminate();
    expect(inner.calls).toEqual([
      ['pause'],
      ['resume'],
      ['close', 4409, 'reason'],
      ['close', 1000, undefined],
      ['terminate'],
    ]);
  });

  test('forwards the close event, and errors when there is a listener', () => {
    const events: unknown[] = [];
    inner.emit('error', new Error('without a listener'));
    sealed.on('close', (code: number, reason: Buffer) => events.push([code, String(reason)]));
    sealed.on('error', (error: Error) => events.push(error.message));
    inner.emit('error', new Error('broken'));
    inner.emit('close', 4409, Buffer.from('taken'));
    expect(events).toEqual(['broken', [4409, 'taken']]);
  });
});
