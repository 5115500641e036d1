import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { z } from 'zod';
import { hooksUrl } from '../../hooks/index.js';
import { OBSERVED_SOURCES, type ObservedSource } from '../../observer-format/index.js';
import {
  backoffDelayMs,
  type Clock,
  closeServer,
  errorMessage,
  handleWebRequest,
  hasErrorCode,
  isAborted,
  listenOnLoopback,
  type Logger,
  sleep,
} from '../../shared/index.js';
import { rejectRequest } from './check-request.js';
import { type HookReceiver, MAX_EVENT_BYTES, parseJson, receiveHook } from './hook-request.js';
import { connectToSocket, listenOnSocket, readLines, relaySocketPath } from './relay-socket.js';

/** Delay between two attempts to bind the port or to reach the observer that has bound it. */
const BACKOFF = { initialMs: 100, maxMs: 30_000 };
/** Number of attempts after which the port is reported as taken. Observers that start together need several. */
const REPORTED_ATTEMPTS = 5;
/** Most observers that receive events from this one. */
const MAX_FOLLOWERS = 64;
/** Most bytes that wait to be sent to one observer. A slower one is disconnected, and connects again. */
const MAX_UNSENT_BYTES = 2 * MAX_EVENT_BYTES;
/** Longest line between observers: an event, and the name of its source. */
const MAX_LINE_BYTES = MAX_EVENT_BYTES + 1_024;

/** First message of a follower: the source whose events it needs. */
const followSchema = z.object({ follow: z.enum(OBSERVED_SOURCES) });
/** Event that a follower has received on another port. */
const eventSchema = z.object({ source: z.enum(OBSERVED_SOURCES), event: z.unknown() });

export interface HookRelayOptions extends HookReceiver {
  /** Source whose events this observer needs. */
  readonly source: ObservedSource;
  /** Port on 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  /** Token that hooks must present. Null for none. */
  readonly token: string | null;
  /** Directory in which swarmlens keeps files of this user. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Random numbers in [0, 1) for the jitter. */
  readonly random: () => number;
}

/**
 * Receives the events of hooks on a port that all observers of a user share. One of them, the leader, binds the port and sends each
 * event to the others, the followers. When the leader ends, a follower takes its place. A port that another program has bound is
 * reported and tried again.
 */
export class HookRelay implements AsyncDisposable {
  readonly #options: HookRelayOptions;
  readonly #abort = new AbortController();
  readonly #followers = new Map<Socket, ObservedSource>();
  readonly #ended: Promise<void>;
  /** Connection to the leader. Null for the leader itself, and without one. */
  #leader: Socket | null = null;
  #url: string | null = null;

  constructor(options: HookRelayOptions) {
    this.#options = options;
    this.#ended = this.#run(this.#abort.signal);
  }

  /** URL at which this observer receives events. Null unless it is the leader. */
  get url(): string | null {
    return this.#url;
  }

  /** Whether events reach this observer. */
  get isReceiving(): boolean {
    return this.#url !== null || this.#leader !== null;
  }

  /** Number of other observers that receive events from this one. */
  get followerCount(): number {
    return this.#followers.size;
  }

  /** Sends an event that was received on another port to all observers. */
  publish(source: ObservedSource, event: unknown): void {
    // The leader sends the event back, so that all events arrive in one order.
    if (this.#leader !== null) send(this.#leader, { source, event });
    else this.#deliver(source, event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#leader?.destroy();
    await this.#ended;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger, port, random } = this.#options;
    let failures = 0;
    while (!isAborted(signal)) {
      const reason = await this.#lead(signal);
      if (isAborted(signal)) return;
      if (reason !== null && (await this.#follow(signal))) {
        failures = 0;
        continue;
      }
      failures += 1;
      if (failures === REPORTED_ATTEMPTS) {
        logger.warn(
          { port, error: reason },
          'events of hooks are not received, because another program uses the port; pass another --hooks-port, and install the hooks with this --port',
        );
      }
      await sleep(clock, backoffDelayMs(failures, BACKOFF, random), signal);
    }
  }

  /** Leads until the observer ends. Returns the reason if the port cannot be bound. */
  async #lead(signal: AbortSignal): Promise<string | null> {
    const { port, token, source, stateDirectory, logger, onMalformed } = this.#options;
    const receiver = { onEvent: (from: ObservedSource, event: unknown) => this.#deliver(from, event), onMalformed };
    const respond = async (request: Request): Promise<Response> =>
      rejectRequest(request, { token, isLocal: true }) ??
      (await receiveHook(request, receiver)) ??
      new Response('not found', { status: 404 });
    const server = createServer((request, response) => {
      handleWebRequest(request, response, MAX_EVENT_BYTES, respond).catch(() => response.destroy());
    });
    let bound;
    try {
      bound = await listenOnLoopback(server, port);
    } catch (error) {
      return hasErrorCode(error, 'EADDRINUSE') ? 'the port is in use' : errorMessage(error);
    }
    this.#url = hooksUrl(bound, source);
    logger.info({ url: this.#url }, 'events of hooks are received');
    const path = relaySocketPath(stateDirectory, bound);
    const socket = await listenOnSocket(path, MAX_FOLLOWERS, (follower) => this.#accept(follower)).catch(
      (error: unknown) => {
        logger.warn({ error: errorMessage(error) }, 'other observers do not receive the events of hooks');
        return null;
      },
    );
    await aborted(signal);
    this.#url = null;
    const closed = closeServer(server);
    server.closeAllConnections();
    await closed;
    await socket?.[Symbol.asyncDispose]();
    return null;
  }

  /** Receives events from the leader until the connection ends. Returns whether there was one. */
  async #follow(signal: AbortSignal): Promise<boolean> {
    const { port, source, stateDirectory, logger } = this.#options;
    const leader = await connectToSocket(relaySocketPath(stateDirectory, port));
    if (leader === null) return false;
    const closed = new Promise<void>((resolve) => leader.once('close', () => resolve()));
    if (isAborted(signal)) leader.destroy();
    this.#leader = leader;
    logger.info({ port }, 'events of hooks are received through another observer');
    readLines(leader, MAX_LINE_BYTES, (line) => {
      const event = parseJson(line);
      if (event !== undefined) this.#options.onEvent(source, event);
    });
    send(leader, { follow: source });
    await closed;
    this.#leader = null;
    return true;
  }

  #accept(follower: Socket): void {
    follower.once('close', () => this.#followers.delete(follower));
    readLines(follower, MAX_LINE_BYTES, (line) => {
      const message = parseJson(line);
      const follow = followSchema.safeParse(message);
      if (follow.success) this.#followers.set(follower, follow.data.follow);
      const published = eventSchema.safeParse(message);
      if (published.success) this.#deliver(published.data.source, published.data.event);
    });
  }

  #deliver(source: ObservedSource, event: unknown): void {
    const { source: own, onEvent } = this.#options;
    if (source === own) onEvent(source, event);
    for (const [follower, needed] of this.#followers) if (needed === source) send(follower, event);
  }
}

/** Sends a message as a line. Closes a connection whose other side does not read. */
function send(socket: Socket, message: unknown): void {
  if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy();
  else socket.write(`${JSON.stringify(message)}\n`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
