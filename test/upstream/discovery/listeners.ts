import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { runSimulator, SIMULATOR_DEFAULTS, type SimulatorOptions } from '../../../src/simulator/index.js';

/** Server on a loopback port. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** Number of accepted connections since the start. */
  readonly connections: () => number;
}

export async function simulated(
  type: SimulatorOptions['type'],
  transport: 'http' | 'tcp',
): Promise<{ readonly port: number } & AsyncDisposable> {
  const options = { ...SIMULATOR_DEFAULTS, type, transport, port: 0, agents: 2, hz: 0 };
  const running = await runSimulator(options, { stdin: process.stdin, stdout: process.stdout });
  return Object.assign(running, { port: Number(new URL(running.url ?? '').port) });
}

export interface TcpListening extends Listening {
  /** Number of open connections that have received data. Node's HTTP client keeps unused connections open for seconds. */
  readonly active: () => number;
}

/** @param onData receives everything that the connection has received so far */
export async function tcp(onData: (socket: Socket, received: string) => void): Promise<TcpListening> {
  const active = new Set<Socket>();
  const server = createServer((socket) => {
    let received = '';
    socket.on('error', () => socket.destroy());
    socket.on('close', () => active.delete(socket));
    socket.on('data', (chunk) => {
      active.add(socket);
      onData(socket, (received += chunk.toString()));
    });
  });
  return { ...(await listening(server)), active: () => active.size };
}

export async function http(status: number, body = ''): Promise<Listening> {
  return listening(createHttpServer((_request, response) => response.writeHead(status).end(body)));
}

/** @param onMessage handles a message of a client */
export async function webSocket(
  onMessage: (socket: WebSocket, text: string) => void,
  isWelcome = true,
): Promise<Listening> {
  const server = createHttpServer((_request, response) => response.writeHead(426).end());
  const sockets = new WebSocketServer({
    server,
    verifyClient: (_info: unknown, done: (ok: boolean, code?: number) => void) => done(isWelcome, 401),
  });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => onMessage(socket, data.toString()));
  });
  return listening(server);
}

async function listening(server: Server | HttpServer): Promise<Listening> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as { port: number }; // a TCP server's address is never a string
  return {
    port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface ReceivedRequest {
  readonly id?: unknown;
  readonly method?: string;
}

/** Returns the response of a minimal MCP server, or null if the message needs none. */
export function answerTo(text: string): string | null {
  const { id, method } = JSON.parse(text) as ReceivedRequest; // written by the code under test
  const result =
    method === 'initialize'
      ? { protocolVersion: '2024-11-05', serverInfo: { name: 'Claude Flow', version: '2' } }
      : method === 'tools/list'
        ? { tools: [{ name: 'agent_list' }] }
        : null;
  return result === null ? null : JSON.stringify({ jsonrpc: '2.0', id, result });
}
