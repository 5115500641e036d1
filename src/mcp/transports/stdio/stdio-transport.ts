import { type JSONRPCMessage, serializeMessage } from '@modelcontextprotocol/client';
import { type Clock, LineSplitter, MAX_MESSAGE_BYTES } from '../../../shared/index.js';
import { ChildProcessGroup } from './child-process-group.js';
import type { StdioEndpoint } from '../../endpoint.js';
import { OutputTail } from './output-tail.js';
import { LineTransport, MESSAGE_TOO_LONG } from '../line-transport.js';

/** Time to read the remaining output of a child after its exit. */
const DRAIN_MS = 100;
/** Time for a child that has closed a stream to exit. On a busy machine the exit is reported long after the close. */
const EXIT_GRACE_MS = 1_000;

/** Receives the standard error of a child. */
export interface StderrListener {
  /** Called with each line, without secrets. */
  readonly onStderr: (line: string) => void;
  /** Called with each output, also of a part of a line. */
  readonly onProgress: () => void;
}

/**
 * MCP over a child process. The transport of the official client reports neither how the child ended nor its other
 * output, signals only the first of several processes, and does not wait for the exit of a killed process.
 */
export class StdioTransport extends LineTransport {
  readonly #endpoint: StdioEndpoint;
  readonly #clock: Clock;
  readonly #stderr: OutputTail;
  readonly #onProgress: () => void;
  /** Lines of the standard output that are not messages. */
  readonly #stdout = new OutputTail();
  #pendingStart: Promise<ChildProcessGroup> | null = null;
  #child: ChildProcessGroup | null = null;

  constructor(endpoint: StdioEndpoint, clock: Clock, { onStderr, onProgress }: StderrListener) {
    super();
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#stderr = new OutputTail(onStderr);
    this.#onProgress = onProgress;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * Lines that name the reason of a failure as ` (stderr: …)`, ` (stdout: …)` or ` (stderr: …; stdout: …)`. Empty if there
   * are none.
   */
  get outputTail(): string {
    const tails = [
      { stream: 'stderr', tail: this.#stderr },
      { stream: 'stdout', tail: this.#stdout },
    ].filter(({ tail }) => tail.toString() !== '');
    const named = tails.find(({ tail }) => tail.hasError);
    const shown = named === undefined ? tails : [named];
    if (shown.length === 0) return '';
    return ` (${shown.map(({ stream, tail }) => `${stream}: ${tail.toString()}`).join('; ')})`;
  }

  override async start(): Promise<void> {
    this.#pendingStart = ChildProcessGroup.start(this.#endpoint, this.#clock);
    const child = await this.#pendingStart;
    // `release` ends the child in this case.
    if (this.hasEnded) throw new Error('closed during start');
    this.#child = child;
    const { stdin, stdout, stderr } = child.process;
    const lines = new LineSplitter(
      MAX_MESSAGE_BYTES,
      (line) => this.read(line),
      () => this.fail(MESSAGE_TOO_LONG),
    );
    stdout.on('data', (chunk: Buffer) => {
      this.markReceived();
      lines.push(chunk);
    });
    // An unread pipe would fill up and block the child.
    stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#onProgress();
      this.#stderr.push(chunk);
    });
    stdin.on('error', () => this.#failAfterExit('the process closed its standard input'));
    stdout.once('end', () => {
      if (lines.isWithinLine) lines.endLine();
      this.#failAfterExit('the process closed its standard output');
    });
    child.onExit((description) => {
      const fail = (): void => this.fail(`the process ended with ${description}`);
      child.onDrained(fail);
      // Other processes of the group may hold the streams open.
      this.#afterDraining(fail);
    });
  }

  override send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (child === null || this.hasEnded) return Promise.reject(new Error('Not connected'));
    return new Promise((resolve) => {
      // Write errors are reported by the `error` event, which waits for the exit status.
      child.process.stdin.write(serializeMessage(message), () => resolve());
    });
  }

  protected override async release(): Promise<void> {
    const child = await this.#pendingStart?.catch(() => null);
    await child?.end();
  }

  protected override reportNoise(line: string): void {
    this.#stdout.push(`${line}\n`);
    super.reportNoise(line);
  }

  protected override setPaused(isPaused: boolean): void {
    const stdout = this.#child?.process.stdout;
    if (isPaused) stdout?.pause();
    else stdout?.resume();
  }

  /** Fails later, because a child that exits also closes its streams, and the exit status is the better reason. */
  #failAfterExit(reason: string): void {
    this.#clock.schedule(EXIT_GRACE_MS, () => setImmediate(() => this.fail(reason)));
  }

  /** Calls back after the data that has already arrived was read, even if this process was busy. */
  #afterDraining(callback: () => void): void {
    this.#clock.schedule(DRAIN_MS, () => setImmediate(callback));
  }
}
