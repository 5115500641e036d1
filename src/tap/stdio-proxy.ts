import type { Readable, Writable } from 'node:stream';
import { type Clock, LineSplitter, MAX_MESSAGE_BYTES } from '../shared/index.js';
import { JsonMessageReader } from '../shared/json/index.js';
import { SessionTracker, type ObservedToolCall } from './session-tracker.js';
import { toModern } from './modern-protocol.js';
import { mayContainMessages, toMessages } from './rpc-message.js';
import { type InjectedResponse, InjectedCalls, type InjectedRequest } from './injected-calls.js';
import { StreamRelay } from './stdio/stream-relay.js';
import { ResponseFilter } from './stdio/response-filter.js';

const NEWLINE = 0x0a;
/** Most bytes of lines that wait to be parsed. Further lines pass, but are not parsed. */
const MAX_UNPARSED_BYTES = 4 * MAX_MESSAGE_BYTES;

type Side = 'CLIENT' | 'SERVER';

/** Streams of both sides of a proxy. */
export interface StdioProxyStreams {
  /** Output and input of the MCP client. */
  readonly client: { readonly input: Readable; readonly output: Writable };
  /** Input and output of the server. */
  readonly server: { readonly input: Writable; readonly output: Readable };
}

export interface StdioProxyEvents {
  readonly onCall: (call: ObservedToolCall) => void;
  readonly onToolsChanged: () => void;
  readonly onInitialized: () => void;
}

/** Proxies every byte between MCP client and server. Lets swarmlens observe the session and inject calls while the client is idle. */
export class StdioProxy {
  readonly #tracker: SessionTracker;
  readonly #injectedCalls: InjectedCalls;
  readonly #toServer: StreamRelay;
  readonly #reader: JsonMessageReader<Side>;
  #unparsedBytes = 0;
  #isAtLineStart = true;
  #isObserving = true;

  /** @param prefix prefix of the ids of injected calls; no id of the MCP client begins with it */
  constructor({ client, server }: StdioProxyStreams, prefix: string, clock: Clock, events: StdioProxyEvents) {
    const tracker = new SessionTracker(clock, events);
    this.#tracker = tracker;
    const injectedCalls = new InjectedCalls({
      prefix,
      clock,
      canWrite: () => this.#canWrite(),
      adapt: (request) => (tracker.version === null ? request : toModern(request, tracker.version)),
      isClientBusy: () => tracker.isReady && !(tracker.isIdle && !this.#reader.isBusy),
      write: (line) => this.#toServer.write(line),
    });
    this.#injectedCalls = injectedCalls;
    // One reader for both directions, because a request must be known before its response.
    this.#reader = new JsonMessageReader({
      onMessage: (json, line, from) => {
        this.#unparsedBytes -= line.length;
        this.#observe(() => {
          for (const message of toMessages(json)) {
            if (from === 'CLIENT') tracker.fromClient(message, line.length);
            else if (!injectedCalls.handleResponse(message)) tracker.fromServer(message);
          }
        });
      },
      onInvalid: (line) => (this.#unparsedBytes -= line.length),
      onBusy: (isBusy) => {
        if (isBusy) return;
        this.#observe(() => undefined);
        filter.release();
      },
    });
    // Lines above the limit pass like any other, but are not parsed.
    const clientLines = new LineSplitter(MAX_MESSAGE_BYTES, (line) => this.#parse(line, 'CLIENT'));
    const serverLines = new LineSplitter(MAX_MESSAGE_BYTES, (line) => this.#parse(line, 'SERVER'));
    const toServer = new StreamRelay({
      from: client.input,
      to: server.input,
      onChunk: (chunk) => {
        toServer.write(chunk);
        this.#isAtLineStart = chunk.at(-1) === NEWLINE;
        this.#observe(() => clientLines.push(chunk));
      },
      onEnd: () => this.#observe(() => injectedCalls.rejectAll()),
    });
    this.#toServer = toServer;
    const filter = new ResponseFilter({
      prefix,
      maxHeldBytes: MAX_MESSAGE_BYTES,
      expectsResponse: () => injectedCalls.expectsResponse,
      pass: (bytes) => toClient.write(bytes),
    });
    const toClient = new StreamRelay({
      from: server.output,
      to: client.output,
      onChunk: (chunk) => {
        filter.push(chunk);
        this.#observe(() => serverLines.push(chunk));
        filter.release();
      },
      onEnd: () => filter.end(),
    });
    server.input.on('drain', () => this.#observe(() => undefined));
  }

  get initializeResult(): Readonly<Record<string, unknown>> | null {
    return this.#tracker.initializeResult;
  }

  /** Sends a call of swarmlens to the server. Dispose the result to cancel it. */
  call(request: InjectedRequest, onResponse: (response: InjectedResponse) => void): Disposable {
    return this.#injectedCalls.add(request, onResponse);
  }

  #canWrite(): boolean {
    const { isReady, isIdle } = this.#tracker;
    return (
      !this.#reader.isBusy && this.#isObserving && this.#isAtLineStart && isReady && isIdle && this.#toServer.canWrite
    );
  }

  /** Parses a line, unless too many lines wait. Nothing is read more slowly because of the observation. */
  #parse(line: Buffer, from: Side): void {
    if (!mayContainMessages(line) || this.#unparsedBytes + line.length > MAX_UNPARSED_BYTES) return;
    this.#unparsedBytes += line.length;
    this.#reader.push(line, from);
  }

  /** Runs a step of the observation. An error ends the observation, never the session. */
  #observe(step: () => void): void {
    if (!this.#isObserving) return;
    try {
      step();
      this.#injectedCalls.flush();
    } catch {
      this.#isObserving = false;
    }
  }
}
