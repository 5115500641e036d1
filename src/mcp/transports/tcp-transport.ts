import { connect, type Socket } from 'node:net';
import { type JSONRPCMessage, serializeMessage } from '@modelcontextprotocol/client';
import type { Clock } from '../../shared/index.js';
import type { TcpEndpoint } from '../endpoint.js';
import { LineSplitter } from './line-splitter.js';
import { SPEAKS_HTTP_MESSAGE } from '../errors.js';
import { LineTransport, MAX_MESSAGE_BYTES, MESSAGE_TOO_LONG } from './line-transport.js';

/** Of silence, before the system asks whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000;

/** Between two messages: there are servers that take what arrives together for one, and refuse it. */
const GAP_MS = 1;

/** MCP over a socket: JSON-RPC, one message a line. */
export class TcpTransport extends LineTransport {
  readonly #endpoint: Pick<TcpEndpoint, 'host' | 'port'>;
  readonly #clock: Clock;
  /** Resolves when the next message may be written. */
  #isFree: Promise<void> = Promise.resolve();
  #socket: Socket | null = null;

  constructor(endpoint: Pick<TcpEndpoint, 'host' | 'port'>, clock: Clock) {
    super();
    this.#endpoint = endpoint;
    this.#clock = clock;
  }

  override async start(): Promise<void> {
    const { host, port } = this.#endpoint;
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    this.#socket = socket;
    const lines = new LineSplitter(
      MAX_MESSAGE_BYTES,
      (line) => this.read(line),
      () => this.fail(MESSAGE_TOO_LONG),
    );
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed while it was connecting')));
    });
    socket.on('data', (chunk) => lines.push(chunk));
    socket.on('end', () => {
      if (lines.isWithinLine) this.fail('the server closed the connection in the middle of a message');
      else this.fail('the server closed the connection', true);
    });
    socket.on('error', (error) => this.fail(`the connection broke off: ${error.message}`));
    socket.on('close', () => this.fail('the connection broke off'));
  }

  /** Resolves when the message has been handed to the system; a failure ends the session by its event. */
  override async send(message: JSONRPCMessage): Promise<void> {
    const before = this.#isFree;
    let free = (): void => undefined;
    this.#isFree = new Promise((resolve) => (free = resolve));
    await before;
    const socket = this.#socket;
    if (socket === null || this.hasEnded) {
      free();
      throw new Error('Not connected');
    }
    await new Promise<void>((resolve) => socket.write(serializeMessage(message), () => resolve()));
    // Later than a reader in a process that was too busy to look, should it be ours.
    this.#clock.schedule(GAP_MS, () => setImmediate(free));
  }

  protected override async release(): Promise<void> {
    const socket = this.#socket;
    if (socket === null || socket.closed) return;
    socket.destroy();
    await new Promise((resolve) => socket.once('close', resolve));
  }

  protected override reportNoise(line: string): void {
    if (line.startsWith('HTTP/')) this.fail(SPEAKS_HTTP_MESSAGE);
    else super.reportNoise(line);
  }
}
