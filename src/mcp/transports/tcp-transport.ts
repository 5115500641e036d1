import { connect, type Socket } from 'node:net';
import { type JSONRPCMessage, serializeMessage } from '@modelcontextprotocol/client';
import { type Clock, LineSplitter, MAX_MESSAGE_BYTES } from '../../shared/index.js';
import type { TcpEndpoint } from '../endpoint.js';
import { SPEAKS_HTTP_MESSAGE } from '../errors.js';
import { LineTransport, MESSAGE_TOO_LONG } from './line-transport.js';

/** Idle time after which the system sends TCP keep-alive probes. */
const KEEP_ALIVE_MS = 30_000;

/** Delay between two messages, because some servers parse everything that arrives together as one message. */
const MESSAGE_GAP_MS = 1;

/** MCP over a TCP socket: newline-delimited JSON-RPC. */
export class TcpTransport extends LineTransport {
  readonly #endpoint: Pick<TcpEndpoint, 'host' | 'port'>;
  readonly #clock: Clock;
  /** Resolves when the next message may be written. */
  #previousSent: Promise<void> = Promise.resolve();
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
      socket.once('close', () => reject(new Error('closed while connecting')));
    });
    socket.on('data', (chunk) => {
      this.markReceived();
      lines.push(chunk);
    });
    socket.on('end', () => {
      if (lines.isWithinLine) this.fail('the server closed the connection in the middle of a message');
      else this.fail('the server closed the connection', true);
    });
    socket.on('error', (error) => this.fail(`the connection was lost: ${error.message}`));
    socket.on('close', () => this.fail('the connection was lost'));
  }

  /** Resolves when the system has taken the message. Errors are reported by the `error` event of the socket. */
  override async send(message: JSONRPCMessage): Promise<void> {
    const previous = this.#previousSent;
    let markSent = (): void => undefined;
    this.#previousSent = new Promise((resolve) => (markSent = resolve));
    await previous;
    const socket = this.#socket;
    if (socket === null || this.hasEnded) {
      markSent();
      throw new Error('Not connected');
    }
    await new Promise<void>((resolve) => socket.write(serializeMessage(message), () => resolve()));
    // Deferred, so that a server in the same process reads the message first.
    this.#clock.schedule(MESSAGE_GAP_MS, () => setImmediate(markSent));
  }

  protected override async release(): Promise<void> {
    const socket = this.#socket;
    if (socket === null || socket.closed) return;
    socket.destroy();
    await new Promise((resolve) => socket.once('close', resolve));
  }

  protected override setPaused(isPaused: boolean): void {
    if (isPaused) this.#socket?.pause();
    else this.#socket?.resume();
  }

  protected override reportNoise(line: string): void {
    if (line.startsWith('HTTP/')) this.fail(SPEAKS_HTTP_MESSAGE);
    else super.reportNoise(line);
  }
}
