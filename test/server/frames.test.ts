import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { constants, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { FrameWriter } from '../../src/server/sharing/frame-writer.js';
import { MessagePrefix, SharedMessage } from '../../src/server/sharing/shared-message.js';
import { emptyDelta } from '../../src/state/index.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { settled } from '../support/manual-clock.js';
import { waitUntil } from '../support/wait.js';
import { boundaryMessages, expectedMessages, FrameServer, type SharedText } from '../support/frame-server.js';

/** Reads all messages between `first` and `last` with a client of `ws`. */
async function readWithWs(url: string, perMessageDeflate: boolean): Promise<unknown[]> {
  const socket = new WebSocket(url, { perMessageDeflate });
  const messages: string[] = [];
  socket.on('message', (data: Buffer) => messages.push(data.toString()));
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      if (data.toString() === 'last') resolve();
    });
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
  });
  socket.terminate();
  expect(messages.at(0)).toBe('first');
  return messages.slice(1, -1).map((text) => JSON.parse(text) as unknown); // only compared
}

interface Frame {
  readonly first: number;
  readonly lengthBytes: number;
  readonly payload: Buffer;
}

/** Reads the raw frames (RFC 6455). */
async function readBytes(url: string, offer: string | null): Promise<Frame[]> {
  const { hostname, port } = new URL(url);
  await using held = { socket: connect(Number(port), hostname), [Symbol.asyncDispose]: () => closed(held.socket) };
  const { socket } = held;
  const extension = offer === null ? '' : `Sec-WebSocket-Extensions: ${offer}\r\n`;
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extension}\r\n`,
  );
  let bytes = Buffer.alloc(0);
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]; // a socket without an encoding emits buffers
    bytes = Buffer.concat([bytes, chunk]);
    const start = bytes.indexOf('\r\n\r\n') + 4;
    const frames = start < 4 ? [] : decode(bytes.subarray(start));
    if (frames.at(-1)?.payload.toString() === 'last') return frames;
  }
}

async function closed(socket: Socket): Promise<void> {
  socket.destroy();
  if (!socket.closed) await once(socket, 'close');
}

function decode(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const [first = 0, second = 0] = bytes.subarray(at, at + 2);
    expect(second & 0x80, 'server frames are not masked').toBe(0);
    const lengthBytes = second === 127 ? 8 : second === 126 ? 2 : 0;
    if (at + 2 + lengthBytes > bytes.length) break;
    const length =
      lengthBytes === 8
        ? Number(bytes.readBigUInt64BE(at + 2))
        : lengthBytes === 2
          ? bytes.readUInt16BE(at + 2)
          : second;
    const start = at + 2 + lengthBytes;
    if (start + length > bytes.length) break;
    frames.push({ first, lengthBytes, payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return frames;
}

const FIN_TEXT = 0x81;
const FIN_TEXT_DEFLATED = 0xc1;

function textOf({ first, payload }: Frame): string {
  if (first === FIN_TEXT) return payload.toString();
  expect(first).toBe(FIN_TEXT_DEFLATED);
  const tail = Buffer.from([0, 0, 0xff, 0xff]);
  return inflateRawSync(Buffer.concat([payload, tail]), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

/** Stream of a client that reads nothing or everything. Keeps references to the written bytes, like a socket. */
class ClientStream extends Duplex {
  readonly #isStalled: boolean;
  readonly #chunks: Buffer[] = [];

  constructor(isStalled: boolean) {
    super();
    this.#isStalled = isStalled;
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.#chunks.push(this.#isStalled ? chunk : Buffer.from(chunk));
    if (!this.#isStalled) callback();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: () => void): void {
    for (const { chunk } of chunks) this._write(chunk, 'buffer', callback);
  }

  /** Returns the messages of all frames that were written, as their memory is now. */
  messages(): unknown[] {
    return decode(Buffer.concat([...this.#chunks])).map((frame) => JSON.parse(textOf(frame)) as unknown); // only compared
  }
}

describe('the memory of a frame', () => {
  const message = (readers: number, frames: FrameWriter, text: string, threshold: number | null): SharedMessage =>
    new SharedMessage([JSON.stringify({ text })], readers, frames, { threshold });
  const next = (id: string, text: string): object => ({ id, type: 'next', payload: { text } });

  test.each([
    ['shared', null],
    ['shared and compressed', 1],
  ])('is not reused while a stalled client has it: %s', (_, threshold) => {
    const shared = message(3, new FrameWriter(), 'x'.repeat(500), threshold);
    const stalled = new ClientStream(true);
    const reading = new ClientStream(false);
    const ids = ['short', 'of the stalled client', 'a longer id than the others have', 'last'];
    shared.writeTo(reading, new MessagePrefix(ids[0] ?? ''), true);
    shared.writeTo(stalled, new MessagePrefix(ids[1] ?? ''), true);
    for (const id of ids.slice(2)) shared.writeTo(reading, new MessagePrefix(id), true);
    expect(stalled.messages()).toEqual([next('of the stalled client', 'x'.repeat(500))]);
    expect(reading.messages()).toEqual([ids[0], ids[2], ids[3]].map((id) => next(id ?? '', 'x'.repeat(500))));
  });

  test('is not reused while a stalled client has it: of one reader each', async () => {
    const frames = new FrameWriter();
    const stalled = new ClientStream(true);
    const reading = new ClientStream(false);
    const write = (stream: ClientStream, id: string, text: string): void => {
      message(1, frames, text, null).writeTo(stream, new MessagePrefix(id), false);
    };
    write(reading, 'before', 'same turn');
    write(stalled, 'stalled', 'unread');
    write(reading, 'after', 'same turn');
    await settled();
    for (let round = 0; round < 3; round += 1) {
      write(reading, `later ${round}`, 'y'.repeat(300));
      await settled();
    }
    expect(stalled.messages()).toEqual([next('stalled', 'unread')]);
    expect(reading.messages()).toEqual([
      next('before', 'same turn'),
      next('after', 'same turn'),
      ...[0, 1, 2].map((round) => next(`later ${round}`, 'y'.repeat(300))),
    ]);
  });

  test('is not reused within a turn when the memory for frames is full', async () => {
    const frames = new FrameWriter();
    const stalled = new ClientStream(true);
    const reading = new ClientStream(false);
    const text = 'z'.repeat(100_000);
    message(1, frames, text, null).writeTo(stalled, new MessagePrefix('stalled'), false);
    for (let index = 0; index < 5; index += 1)
      message(1, frames, text, null).writeTo(reading, new MessagePrefix(`${index}`), false);
    await settled();
    expect(stalled.messages()).toEqual([next('stalled', text)]);
    expect(reading.messages()).toEqual([0, 1, 2, 3, 4].map((index) => next(`${index}`, text)));
  });
});

describe('FrameWriter', () => {
  test('writes the frames of a turn together at its end, and earlier when they exceed 256 KB', async () => {
    const frames = new FrameWriter();
    const client = new ClientStream(false);
    const write = (length: number): void => void frames.write(client, [JSON.stringify('x'.repeat(length - 2))], 0);
    for (const _ of [1, 2]) write(100_000);
    expect(client.messages()).toHaveLength(0);
    // The memory for frames is full.
    write(100_000);
    expect(client.messages()).toHaveLength(2);
    // A frame that needs memory of its own.
    write(262_144);
    expect(client.messages()).toHaveLength(4);
    write(10);
    expect(client.messages()).toHaveLength(4);
    await settled();
    expect(client.messages()).toHaveLength(5);
  });

  test('writes nothing to a stream that has ended, and writes the frames of other streams', async () => {
    const frames = new FrameWriter();
    const [ended, other] = [new ClientStream(false), new ClientStream(false)];
    const errors: unknown[] = [];
    ended.on('error', (error) => errors.push(error));
    for (const stream of [ended, other]) frames.write(stream, ['"text"'], 0);
    ended.end();
    await settled();
    expect([errors, ended.messages(), other.messages()]).toEqual([[], [], ['text']]);
  });
});

describe('odd Unicode', () => {
  /** Lone surrogates, line and paragraph separators, NUL, DEL, a byte order mark, and characters of every UTF-8 length. */
  const ODD = 'a\ud83d b\udc1d c\u2028\u2029 d\u0000\u007f\u0085 e\ufeff\uffff fé g€ h🐝 \\ "';

  test.each([
    ['one client', 1],
    ['several clients', 2],
  ])('is escaped or encoded in plain frames to %s, so that every client reads it unchanged', async (_, readers) => {
    await using server = await DeliveryServer.start({ compressFromBytes: null });
    server.show(0, 1, 0);
    const agent = server.store.agents.get('x:0');
    if (agent === undefined) throw new Error('no agent');
    server.store.commit({ ...emptyDelta('x'), agents: [{ ...agent, name: ODD, capabilities: [ODD, ''] }] });
    const texts: string[][] = [];
    const id = `id ${ODD}`;
    for (let reader = 0; reader < readers; reader += 1) {
      const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws', { perMessageDeflate: false });
      const received: string[] = [];
      texts.push(received);
      socket.on('message', (data: Buffer) => {
        // Throws for bytes that are not UTF-8.
        received.push(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data));
      });
      await once(socket, 'open');
      const query = `subscription { ${JSON.stringify('alias').slice(1, -1)}: agentUpdates { agents { name capabilities } patches { patch } } }`;
      socket.send('{"type":"connection_init"}');
      await once(socket, 'message');
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
    }
    await waitUntil(() => texts.every((received) => received.length === 2), { state: () => texts });
    server.store.commit({ ...emptyDelta('x'), agents: [{ ...agent, name: `${ODD}!`, capabilities: [] }] });
    await waitUntil(() => texts.every((received) => received.length === 3), { state: () => texts });
    for (const [, snapshot = '', delta = ''] of texts) {
      expect(JSON.parse(snapshot)).toMatchObject({
        id,
        payload: { data: { alias: { agents: [{ name: ODD, capabilities: [ODD, ''] }], patches: [] } } },
      });
      expect(JSON.parse(delta)).toMatchObject({
        id,
        payload: { data: { alias: { agents: [{ name: `${ODD}!` }], patches: [{ patch: { name: `${ODD}!` } }] } } },
      });
    }
  });
});

describe.each([1, 2] as const)('SharedMessage for %d client(s)', (readers) => {
  test.each([
    ['uncompressed', false],
    ['compressed', true],
  ])('is read by ws with every length and id when %s', async (_, deflate) => {
    const messages = boundaryMessages();
    await using server = await FrameServer.start(messages, readers, 64);
    expect(await readWithWs(server.url, deflate)).toEqual(expectedMessages(messages));
  });

  test('is written as one unmasked frame with the shortest length field', async () => {
    const messages = boundaryMessages();
    await using server = await FrameServer.start(messages, readers, 64);
    const frames = await readBytes(server.url, null);
    const shared = frames.slice(1, -1);
    expect(shared.map((frame) => JSON.parse(textOf(frame)) as unknown)).toEqual(expectedMessages(messages));
    for (const { first, lengthBytes, payload } of shared) {
      expect(first).toBe(FIN_TEXT);
      expect(lengthBytes).toBe(payload.length < 126 ? 0 : payload.length <= 65_535 ? 2 : 8);
    }
    expect(new Set(shared.map(({ lengthBytes }) => lengthBytes))).toEqual(new Set([0, 2, 8]));
    expect(shared.map(({ payload }) => payload.length)).toEqual(expect.arrayContaining([125, 126, 65_535, 65_536]));
  });

  test('is compressed independently of other messages unless it is short or its id is long', async () => {
    const messages = boundaryMessages();
    await using server = await FrameServer.start(messages, readers, 64);
    const frames = (await readBytes(server.url, 'permessage-deflate; client_max_window_bits')).slice(1, -1);
    const texts = frames.map(textOf);
    expect(texts.map((text) => JSON.parse(text) as unknown)).toEqual(expectedMessages(messages));
    const sent = messages.flatMap(({ ids, text }) => ids.map((id) => ({ id, text })));
    for (const [index, { id, text }] of sent.entries()) {
      const plain = text.length < 64 || id.length > 65_000;
      expect(frames[index]?.first).toBe(plain ? FIN_TEXT : FIN_TEXT_DEFLATED);
      if (text.length > 60_000) expect(frames[index]?.payload.length).toBeLessThan(text.length / 5);
    }
  });

  test('is written uncompressed to a client that requests a smaller window', async () => {
    await using server = await FrameServer.start(boundaryMessages(), readers, 64);
    const frames = await readBytes(server.url, 'permessage-deflate; server_max_window_bits=10');
    expect(frames.every(({ first }) => first === FIN_TEXT)).toBe(true);
  });

  test('for any texts and ids: arrives unchanged', async () => {
    const message = fc.record({
      ids: fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { minLength: 1, maxLength: 4 }),
      text: fc.json({ maxDepth: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 20 }), fc.boolean(), async (messages: SharedText[], deflate) => {
        await using server = await FrameServer.start(messages, readers, 16);
        expect(await readWithWs(server.url, deflate)).toEqual(expectedMessages(messages));
      }),
      { numRuns: 25 },
    );
  });
});
