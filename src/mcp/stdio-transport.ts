import {
  deserializeMessage,
  type JSONRPCMessage,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import type { Clock } from '../shared/index.js';
import { Child } from './child.js';
import type { StdioEndpoint } from './endpoint.js';
import { LastLines } from './last-lines.js';
import { LineSplitter } from './line-splitter.js';

/** Of one message. */
const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
/** For what a child wrote to be read after its end. */
const DRAIN_MS = 100;
/** For a child that has closed a stream to end: on a busy machine its end shows long after that of its streams. */
const END_MS = 1_000;

/**
 * MCP over a child process. The official client's own transport tells neither how the child ended nor what it wrote
 * that is no message, signals only the first process of several, and does not wait for the end of one that it kills.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  readonly #endpoint: StdioEndpoint;
  readonly #clock: Clock;
  readonly #stderr: LastLines;
  #starting: Promise<Child> | null = null;
  #child: Child | null = null;
  #closing: Promise<void> | null = null;
  #hasEnded = false;
  #endReason: string | null = null;

  constructor(endpoint: StdioEndpoint, clock: Clock, onStderr: (line: string) => void) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#stderr = new LastLines(onStderr);
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Why it ended when we did not close it, with what the child wrote last to its standard error. */
  get endReason(): string | null {
    return this.#endReason === null ? null : `${this.#endReason}${this.lastWords}`;
  }

  /** ` (it wrote: …)`, or nothing. */
  get lastWords(): string {
    const words = this.#stderr.toString();
    return words === '' ? '' : ` (it wrote: ${words})`;
  }

  async start(): Promise<void> {
    this.#starting = Child.start(this.#endpoint, this.#clock);
    const child = await this.#starting;
    // Closed while it was starting: there it is ended.
    if (this.#hasEnded) throw new Error('closed while it was starting');
    this.#child = child;
    const { stdin, stdout, stderr } = child.process;
    const lines = new LineSplitter(
      MAX_MESSAGE_BYTES,
      (line) => this.#read(line),
      () => this.#lost(`it sent a message of more than ${MAX_MESSAGE_BYTES / 1024 / 1024} MB`),
    );
    stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    // Unread, a full pipe would stop the child.
    stderr.setEncoding('utf8').on('data', (chunk: string) => this.#stderr.push(chunk));
    stdin.on('error', () => this.#lostUnlessGone('it closed its standard input'));
    stdout.once('end', () => this.#lostUnlessGone('it closed its standard output'));
    child.onExit((how) => {
      const lost = (): void => this.#lost(`the process ended with ${how}`);
      child.onDrained(lost);
      // What it has started may hold its streams open.
      this.#afterDraining(lost);
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (child === null || this.#hasEnded) return Promise.reject(new Error('Not connected'));
    return new Promise((resolve) => {
      // A failure ends the session by its event, which has the time to find out how the child ended.
      child.process.stdin.write(serializeMessage(message), () => resolve());
    });
  }

  /** Resolves when the child is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#end();
    const child = await this.#starting?.catch(() => null);
    await child?.end();
  }

  #read(line: string): void {
    if (this.#hasEnded || line.trim() === '') return;
    let message: JSONRPCMessage;
    try {
      message = deserializeMessage(line);
    } catch {
      this.onerror?.(new Error(`not a message: ${line}`));
      return;
    }
    this.onmessage?.(message);
  }

  /** A child that ends closes its streams too, and how it ended says more. */
  #lostUnlessGone(reason: string): void {
    this.#clock.schedule(END_MS, () => setImmediate(() => this.#lost(reason)));
  }

  /** Later than what has arrived meanwhile, even when our process was too busy to look. */
  #afterDraining(callback: () => void): void {
    this.#clock.schedule(DRAIN_MS, () => setImmediate(callback));
  }

  #lost(reason: string): void {
    if (this.#hasEnded) return;
    this.#endReason = reason;
    this.#end();
    this.close().catch(() => undefined);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.onclose?.();
  }
}
