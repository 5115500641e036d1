import { connect, type Socket } from 'node:net';
import { type JSONRPCMessage, serializeMessage } from '@modelcontextprotocol/client';
import type { TcpEndpoint } from './endpoint.js';
import { LineSplitter } from './line-splitter.js';
import { LineTransport, MAX_MESSAGE_BYTES, TOO_LONG } from './line-transport.js';
import { OneByOne } from './one-by-one.js';

/** Of silence, before the system asks whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000;

export const SPEAKS_HTTP = 'it speaks HTTP';

/** MCP over a socket: JSON-RPC, one message a line. */
export class TcpTransport extends LineTransport {
  readonly #endpoint: Pick<TcpEndpoint, 'host' | 'port'>;
  readonly #writes = new OneByOne();
  #socket: Socket | null = null;

  constructor(endpoint: Pick<TcpEndpoint, 'host' | 'port'>) {
    super();
    this.#endpoint = endpoint;
  }

  override async start(): Promise<void> {
    const { host, port } = this.#endpoint;
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    this.#socket = socket;
    const lines = new LineSplitter(
      MAX_MESSAGE_BYTES,
      (line) => this.read(line),
      () => this.lost(TOO_LONG),
    );
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed while it was connecting')));
    });
    socket.on('data', (chunk) => lines.push(chunk));
    socket.on('end', () => {
      if (lines.isWithinLine) this.lost('the server closed the connection in the middle of a message');
      else this.lost('the server closed the connection', true);
    });
    socket.on('error', (error) => this.lost(`the connection broke off: ${error.message}`));
    socket.on('close', () => this.lost('the connection broke off'));
  }

  override send(message: JSONRPCMessage): Promise<void> {
    const socket = this.#socket;
    if (socket === null || this.hasEnded) return Promise.reject(new Error('Not connected'));
    return this.#writes.add((done) => {
      if (this.hasEnded) done();
      // A failure ends the session by its event.
      else socket.write(serializeMessage(message), done);
    });
  }

  protected override async release(): Promise<void> {
    const socket = this.#socket;
    if (socket === null || socket.closed) return;
    socket.destroy();
    await new Promise((resolve) => socket.once('close', resolve));
  }

  protected override noise(line: string): void {
    if (line.startsWith('HTTP/')) this.lost(SPEAKS_HTTP);
    else super.noise(line);
  }
}
