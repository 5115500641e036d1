import { type JSONRPCMessage, serializeMessage } from '@modelcontextprotocol/client';
import type { Clock } from '../../../shared/index.js';
import { ChildProcessGroup } from './child-process-group.js';
import type { StdioEndpoint } from '../../endpoint.js';
import { StderrTail } from './stderr-tail.js';
import { LineSplitter } from '../line-splitter.js';
import { LineTransport, MAX_MESSAGE_BYTES, MESSAGE_TOO_LONG } from '../line-transport.js';

/** For what a child wrote to be read after its end. */
const DRAIN_MS = 100;
/** For a child that has closed a stream to end: on a busy machine its end shows long after that of its streams. */
const END_MS = 1_000;

/**
 * MCP over a child process. The official client's own transport tells neither how the child ended nor what it wrote
 * that is no message, signals only the first process of several, and does not wait for the end of one that it kills.
 */
export class StdioTransport extends LineTransport {
  readonly #endpoint: StdioEndpoint;
  readonly #clock: Clock;
  readonly #stderr: StderrTail;
  #pendingStart: Promise<ChildProcessGroup> | null = null;
  #child: ChildProcessGroup | null = null;

  constructor(endpoint: StdioEndpoint, clock: Clock, onStderr: (line: string) => void) {
    super();
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#stderr = new StderrTail(onStderr);
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** ` (it wrote: …)`, or nothing. */
  get stderrTail(): string {
    const words = this.#stderr.toString();
    return words === '' ? '' : ` (it wrote: ${words})`;
  }

  override async start(): Promise<void> {
    this.#pendingStart = ChildProcessGroup.start(this.#endpoint, this.#clock);
    const child = await this.#pendingStart;
    // Closed while it was starting: there it is ended.
    if (this.hasEnded) throw new Error('closed while it was starting');
    this.#child = child;
    const { stdin, stdout, stderr } = child.process;
    const lines = new LineSplitter(
      MAX_MESSAGE_BYTES,
      (line) => this.read(line),
      () => this.fail(MESSAGE_TOO_LONG),
    );
    stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    // Unread, a full pipe would stop the child.
    stderr.setEncoding('utf8').on('data', (chunk: string) => this.#stderr.push(chunk));
    stdin.on('error', () => this.#lostUnlessGone('it closed its standard input'));
    stdout.once('end', () => this.#lostUnlessGone('it closed its standard output'));
    child.onExit((how) => {
      const lost = (): void => this.fail(`the process ended with ${how}`);
      child.onDrained(lost);
      // What it has started may hold its streams open.
      this.#afterDraining(lost);
    });
  }

  override send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (child === null || this.hasEnded) return Promise.reject(new Error('Not connected'));
    return new Promise((resolve) => {
      // A failure ends the session by its event, which has the time to find out how the child ended.
      child.process.stdin.write(serializeMessage(message), () => resolve());
    });
  }

  protected override async release(): Promise<void> {
    const child = await this.#pendingStart?.catch(() => null);
    await child?.end();
  }

  /** A child that ends closes its streams too, and how it ended says more. */
  #lostUnlessGone(reason: string): void {
    this.#clock.schedule(END_MS, () => setImmediate(() => this.fail(reason)));
  }

  /** Later than what has arrived meanwhile, even when our process was too busy to look. */
  #afterDraining(callback: () => void): void {
    this.#clock.schedule(DRAIN_MS, () => setImmediate(callback));
  }
}
