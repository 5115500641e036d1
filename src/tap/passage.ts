import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../shared/index.js';
import { Conversation, type SeenCall } from './conversation.js';
import { Lines } from './lines.js';
import { messagesIn } from './message.js';
import { type OwnAnswer, OwnCalls, type OwnRequest } from './own-calls.js';
import { Relay } from './relay.js';
import { Sieve } from './sieve.js';

const NEWLINE = 0x0a;
/** A longer line passes like any other, but is not looked at. */
const MAX_LINE_BYTES = 10 * 1024 * 1024;

export interface PassageStreams {
  /** What the person's client writes and reads. */
  readonly person: { readonly input: Readable; readonly output: Writable };
  /** What the server reads and writes. */
  readonly server: { readonly input: Writable; readonly output: Readable };
}

export interface PassageEvents {
  readonly onCall: (call: SeenCall) => void;
  readonly onToolsChanged: () => void;
  readonly onGreeted: () => void;
}

/** Person and server, byte for byte; and swarmlens, which sees what they say and speaks when it disturbs nobody. */
export class Passage {
  readonly #conversation: Conversation;
  readonly #ownCalls: OwnCalls;
  readonly #toServer: Relay;
  #isAtLineStart = true;
  #isWatching = true;

  /** @param prefix that no id of anybody else begins with */
  constructor({ person, server }: PassageStreams, prefix: string, clock: Clock, events: PassageEvents) {
    const conversation = new Conversation(clock, events);
    this.#conversation = conversation;
    const ownCalls = new OwnCalls({
      prefix,
      clock,
      mayWrite: () => this.#mayWrite(),
      isBusy: () => conversation.isReady && !conversation.isIdle,
      write: (line) => this.#toServer.write(line),
    });
    this.#ownCalls = ownCalls;
    const fromPerson = new Lines(MAX_LINE_BYTES, (line) => {
      for (const message of messagesIn(line)) conversation.fromPerson(message, line.length);
    });
    const fromServer = new Lines(MAX_LINE_BYTES, (line) => {
      for (const message of messagesIn(line)) if (!ownCalls.answered(message)) conversation.fromServer(message);
    });
    const toServer = new Relay({
      from: person.input,
      to: server.input,
      onChunk: (chunk) => {
        toServer.write(chunk);
        this.#isAtLineStart = chunk.at(-1) === NEWLINE;
        this.#watch(() => fromPerson.push(chunk));
      },
      onEnd: () => this.#watch(() => ownCalls.refuseAll()),
    });
    this.#toServer = toServer;
    const sieve = new Sieve({
      prefix,
      maxHeldBytes: MAX_LINE_BYTES,
      mayBeAnswered: () => ownCalls.mayBeAnswered,
      pass: (bytes) => toPerson.write(bytes),
    });
    const toPerson = new Relay({
      from: server.output,
      to: person.output,
      onChunk: (chunk) => {
        sieve.push(chunk);
        this.#watch(() => fromServer.push(chunk));
        sieve.release();
      },
      onEnd: () => sieve.end(),
    });
    server.input.on('drain', () => this.#watch(() => undefined));
  }

  get greeting(): Readonly<Record<string, unknown>> | null {
    return this.#conversation.greeting;
  }

  /** A call of our own; dispose when nobody wants its answer any more. */
  call(request: OwnRequest, answer: (answer: OwnAnswer) => void): Disposable {
    return this.#ownCalls.add(request, answer);
  }

  #mayWrite(): boolean {
    const { isReady, isIdle } = this.#conversation;
    return this.#isWatching && this.#isAtLineStart && isReady && isIdle && this.#toServer.hasRoom;
  }

  /** What fails here costs us our view of the session, and the person nothing. */
  #watch(look: () => void): void {
    if (!this.#isWatching) return;
    try {
      look();
      this.#ownCalls.look();
    } catch {
      this.#isWatching = false;
    }
  }
}
