import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../shared/index.js';
import { SessionTracker, type ObservedToolCall } from './session-tracker.js';
import { LineReader } from './stdio/line-reader.js';
import { parseMessages } from './rpc-message.js';
import { type InjectedResponse, InjectedCalls, type InjectedRequest } from './injected-calls.js';
import { StreamRelay } from './stdio/stream-relay.js';
import { ResponseFilter } from './stdio/response-filter.js';

const NEWLINE = 0x0a;
/** A longer line passes like any other, but is not looked at. */
const MAX_LINE_BYTES = 10 * 1024 * 1024;

export interface StdioProxyStreams {
  /** What the person's client writes and reads. */
  readonly client: { readonly input: Readable; readonly output: Writable };
  /** What the server reads and writes. */
  readonly server: { readonly input: Writable; readonly output: Readable };
}

export interface StdioProxyEvents {
  readonly onCall: (call: ObservedToolCall) => void;
  readonly onToolsChanged: () => void;
  readonly onInitialized: () => void;
}

/** Person and server, byte for byte; and swarmlens, which sees what they say and speaks when it disturbs nobody. */
export class StdioProxy {
  readonly #conversation: SessionTracker;
  readonly #ownCalls: InjectedCalls;
  readonly #toServer: StreamRelay;
  #isAtLineStart = true;
  #isWatching = true;

  /** @param prefix that no id of anybody else begins with */
  constructor({ client, server }: StdioProxyStreams, prefix: string, clock: Clock, events: StdioProxyEvents) {
    const conversation = new SessionTracker(clock, events);
    this.#conversation = conversation;
    const ownCalls = new InjectedCalls({
      prefix,
      clock,
      canWrite: () => this.#mayWrite(),
      isClientBusy: () => conversation.isReady && !conversation.isIdle,
      write: (line) => this.#toServer.write(line),
    });
    this.#ownCalls = ownCalls;
    const fromPerson = new LineReader(MAX_LINE_BYTES, (line) => {
      for (const message of parseMessages(line)) conversation.fromClient(message, line.length);
    });
    const fromServer = new LineReader(MAX_LINE_BYTES, (line) => {
      for (const message of parseMessages(line))
        if (!ownCalls.handleResponse(message)) conversation.fromServer(message);
    });
    const toServer = new StreamRelay({
      from: client.input,
      to: server.input,
      onChunk: (chunk) => {
        toServer.write(chunk);
        this.#isAtLineStart = chunk.at(-1) === NEWLINE;
        this.#watch(() => fromPerson.push(chunk));
      },
      onEnd: () => this.#watch(() => ownCalls.rejectAll()),
    });
    this.#toServer = toServer;
    const sieve = new ResponseFilter({
      prefix,
      maxHeldBytes: MAX_LINE_BYTES,
      expectsResponse: () => ownCalls.expectsResponse,
      pass: (bytes) => toPerson.write(bytes),
    });
    const toPerson = new StreamRelay({
      from: server.output,
      to: client.output,
      onChunk: (chunk) => {
        sieve.push(chunk);
        this.#watch(() => fromServer.push(chunk));
        sieve.release();
      },
      onEnd: () => sieve.end(),
    });
    server.input.on('drain', () => this.#watch(() => undefined));
  }

  get initializeResult(): Readonly<Record<string, unknown>> | null {
    return this.#conversation.initializeResult;
  }

  /** A call of our own; dispose when nobody wants its answer any more. */
  call(request: InjectedRequest, answer: (answer: InjectedResponse) => void): Disposable {
    return this.#ownCalls.add(request, answer);
  }

  #mayWrite(): boolean {
    const { isReady, isIdle } = this.#conversation;
    return this.#isWatching && this.#isAtLineStart && isReady && isIdle && this.#toServer.canWrite;
  }

  /** What fails here costs us our view of the session, and the person nothing. */
  #watch(look: () => void): void {
    if (!this.#isWatching) return;
    try {
      look();
      this.#ownCalls.flush();
    } catch {
      this.#isWatching = false;
    }
  }
}
