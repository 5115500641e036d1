import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { constants, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
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
