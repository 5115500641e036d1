import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { FrameWriter } from '../../src/server/sharing/frame-writer.js';
import { trackSharedDeflate } from '../../src/server/websocket/deflate-extension.js';
import { MessagePrefix, SharedMessage } from '../../src/server/sharing/shared-message.js';

/** Messages for a client of the frame server: one message per id, all with the same text. */
export interface SharedText {
  readonly ids: readonly string[];
  readonly text: string;
}

/**
 * WebSocket server that writes shared messages to each client, as subscription groups do. Sends an ordinary `ws` message
 * before and after them, so that a test sees the order of both kinds.
 */
export class FrameServer implements AsyncDisposable {
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** @param readers number of receivers of each message; a message with one receiver is not shared */
  static async start(messages: readonly SharedText[], readers: 1 | 2, threshold: number | null): Promise<FrameServer> {
    const http = createServer();
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    });
    const acceptsSharedDeflate = trackSharedDeflate(sockets);
    const frames = new FrameWriter();
    http.on('upgrade', (request, stream: Duplex, head) => {
      sockets.handleUpgrade(request, stream, head, (socket) => {
        const mayDeflate = acceptsSharedDeflate(request);
        socket.send('first', { compress: false });
        for (const { ids, text } of messages) {
          const message = new SharedMessage([text], readers, frames, { threshold });
          for (const id of ids) message.writeTo(stream, new MessagePrefix(id), mayDeflate);
        }
        setImmediate(() => socket.send('last', { compress: false }));
      });
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo; // the server listens on a port
    return new FrameServer(`ws://127.0.0.1:${port}`, async () => {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** Returns messages with lengths around the limits of the frame's length field, and ids of every kind. */
export function boundaryMessages(): SharedText[] {
  const boundaries = [0, 1, 125, 126, 127, 65_534, 65_535, 65_536, 65_537, 200_000];
  const messages = boundaries.flatMap((length): SharedText[] => {
    const id = 'an id';
    const overhead = `{"id":${JSON.stringify(id)},"type":"next","payload":`.length + 1;
    return [{ ids: [id], text: JSON.stringify('x'.repeat(Math.max(0, length - overhead - 2))) }];
  });
  const ids = [
    '',
    '"quoted" \\ "',
    'ünïcödé 🐝',
    '\u0000\u001f\u2028',
    '1',
    'x'.repeat(255),
    'y'.repeat(256),
    'z'.repeat(5_000),
  ];
  return [
    ...messages,
    { ids, text: JSON.stringify({ data: { of: 'many ids', 'ü🐝': 'ünïcödé 🐝 \ud83d' } }) },
    {
      ids: ['w'.repeat(70_000), 'after it'],
      text: JSON.stringify({ data: 'behind an id too long for a stored block' }),
    },
    { ids, text: JSON.stringify(Array.from({ length: 3_000 }, (_, index) => ({ index, name: `agent ${index}` }))) },
  ];
}

/** Returns the messages that a client must have received at the end. */
export function expectedMessages(messages: readonly SharedText[]): unknown[] {
  return messages.flatMap(({ ids, text }) =>
    ids.map((id) => ({ id, type: 'next', payload: JSON.parse(text) as unknown })),
  ); // as parsed
}
