import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { LimitName } from '../../src/server/limits/limit-counters.js';
import { RawGraphqlWsClient, type Message } from '../support/raw-graphql-ws-client.js';
import type { DeliveryServer } from '../support/delivery-server.js';

/** Client that violates the protocol and the limits. */
export class Attacker extends RawGraphqlWsClient {
  /** Opens a WebSocket without connection_init. */
  static async connect(server: DeliveryServer): Promise<Attacker> {
    const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws', { perMessageDeflate: false });
    const made = new Attacker(socket);
    await once(socket, 'open');
    return made;
  }

  /** Opens a WebSocket and waits for connection_ack. */
  static async enter(server: DeliveryServer): Promise<Attacker> {
    const made = await Attacker.connect(server);
    made.send({ type: 'connection_init' });
    await made.until(({ messages }) => messages.length === 1);
    return made;
  }

  /** @param variables JSON that `JSON.stringify` may not be able to write */
  runJson(id: string, query: string, variables = '{}'): void {
    this.socket.send(`{"id":${JSON.stringify(id)},"type":"subscribe","payload":${payloadOf(query, variables)}}`);
  }

  /** Runs an operation over WebSocket and returns its error code, or undefined. */
  async codeOf(query: string, variables = '{}'): Promise<unknown> {
    this.runJson('operation', query, variables);
    const answer = (): Message | undefined => this.messages.find(({ id }) => id === 'operation');
    await this.until(() => answer() !== undefined);
    return codeIn(answer()?.payload);
  }
}

interface Coded {
  readonly extensions?: { readonly code?: unknown };
}

/** Returns the code of the first error in a result or in the payload of an error message. */
export function codeIn(payload: unknown): unknown {
  const { errors = payload } = payload as { readonly errors?: unknown }; // either of the two
  return Array.isArray(errors) ? (errors as readonly Coded[])[0]?.extensions?.code : undefined;
}

export async function post(server: DeliveryServer, body: string | ReadableStream): Promise<Response> {
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  // The fetch of Node.js requires `duplex` for streams.
  return await fetch(`${server.url}/graphql`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
}

function payloadOf(query: string, variables: string): string {
  return `{"query":${JSON.stringify(query)},"variables":${variables}}`;
}

/** Runs an operation over HTTP and returns its error code, or undefined. */
export async function postedCodeOf(server: DeliveryServer, query: string, variables = '{}'): Promise<unknown> {
  const response = await post(server, payloadOf(query, variables));
  return codeIn(await response.json());
}

export function hitsOf(server: DeliveryServer, limit: LimitName): number {
  return server.counters.read().find(({ name }) => name === limit)?.hits ?? 0;
}

/** Opens a TCP connection and sends raw text. */
export function raw(server: DeliveryServer, text: string): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  if (text !== '') socket.write(text);
  return socket;
}

/** Returns everything that is received until the connection is closed. */
export async function answerOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // `once` of node:events would reject when the connection is reset.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString();
}

/** Sends more bytes together with the upgrade request. Returns everything that is received. */
export async function rudeUpgrade(server: DeliveryServer, more: Buffer): Promise<string> {
  const headers = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n';
  const request = Buffer.from(`GET /graphql HTTP/1.1\r\nHost: localhost\r\n${headers}${key}\r\n`);
  const socket = raw(server, '');
  socket.write(Buffer.concat([request, more]));
  return await answerOf(socket);
}

/** Requests an upgrade. Returns the status of the response, which is 101 on success. */
export async function upgrade(server: DeliveryServer, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws', { headers });
  socket.on('error', () => undefined);
  return await new Promise<number>((resolve) => {
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (request, { statusCode = 0 }) => {
      request.destroy();
      resolve(statusCode);
    });
  });
}
