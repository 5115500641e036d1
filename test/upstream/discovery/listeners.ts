import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { runSimulator, SIMULATOR_DEFAULTS, type SimulatorOptions } from '../../../src/simulator/index.js';

/** Something that listens on a port of this machine. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
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
  /** Open connections over which something has come: the HTTP client of Node keeps an unused one for seconds. */
  readonly talking: () => number;
}

/** @param onData gets what has come so far */
export async function tcp(onData: (socket: Socket, received: string) => void): Promise<TcpListening> {
  const talking = new Set<Socket>();
  const server = createServer((socket) => {
    let received = '';
    socket.on('error', () => socket.destroy());
    socket.on('close', () => talking.delete(socket));
    socket.on('data', (chunk) => {
      talking.add(socket);
      onData(socket, (received += chunk.toString()));
    });
  });
  return { ...(await listening(server)), talking: () => talking.size };
}

export async function http(status: number, body = ''): Promise<Listening> {
  return listening(createHttpServer((_request, response) => response.writeHead(status).end(body)));
}

/** @param onMessage answers a message of a client */
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

export interface Asked {
  readonly id?: unknown;
  readonly method?: string;
}

/** What a bare MCP server answers; `null`: nothing. */
export function answerTo(text: string): string | null {
  const { id, method } = JSON.parse(text) as Asked; // written by the code under test
  const result =
    method === 'initialize'
      ? { protocolVersion: '2024-11-05', serverInfo: { name: 'Claude Flow', version: '2' } }
      : method === 'tools/list'
        ? { tools: [{ name: 'agent_list' }] }
        : null;
  return result === null ? null : JSON.stringify({ jsonrpc: '2.0', id, result });
}
