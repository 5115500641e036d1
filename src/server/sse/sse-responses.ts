import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Logger } from '../../shared/index.js';
import type { CloseCounters, StreamEnd } from '../limits/close-counters.js';

export interface SseResponsesOptions {
  readonly closes: CloseCounters;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface OpenResponse {
  /** Connection of the response. A closed response has none. */
  readonly socket: Socket | null;
  /** Reason for which this server ends the response before it is complete. */
  endedBecause: StreamEnd | null;
}

/** Registry of open SSE responses, which are closed during shutdown. Counts and logs how each stream ends. */
export class SseResponses {
  readonly #open = new Map<ServerResponse, OpenResponse>();
  readonly #options: SseResponsesOptions;

  constructor(options: SseResponsesOptions) {
    this.#options = options;
  }

  /** Whether the client accepts a streamed response. Only execution tells whether the response is one. */
  static isRequested({ headers }: IncomingMessage): boolean {
    return /text\/event-stream|multipart\/mixed/i.test(headers.accept ?? '');
  }

  /** @param clientId client for the log */
  add(response: ServerResponse, clientId: string): void {
    const entry: OpenResponse = { socket: response.socket, endedBecause: null };
    const openedAtMs = this.#options.clock.monotonic();
    this.#open.set(response, entry);
    response.once('close', () => {
      this.#open.delete(response);
      if (!String(response.getHeader('content-type')).startsWith('text/event-stream')) return;
      const { closes, clock, logger } = this.#options;
      const reason = entry.endedBecause ?? (response.writableFinished ? 'completed' : 'client');
      closes.streamEnded(reason);
      logger.debug({ clientId, reason, durationMs: Math.round(clock.monotonic() - openedAtMs) }, 'event stream ended');
    });
  }

  /** Records that a connection is closed because its client does not read. @returns whether the connection has a stream */
  markUnresponsive(socket: Socket): boolean {
    const entries = [...this.#open.values()].filter((entry) => entry.socket === socket);
    for (const entry of entries) entry.endedBecause = 'unresponsive';
    return entries.length > 0;
  }

  /**
   * Returns one function per response that closes it after all written bytes are sent, but without the `complete` event.
   * Clients then reconnect to another node.
   */
  closeActions(): (() => void)[] {
    return [...this.#open].map(([response, entry]) => () => {
      entry.endedBecause = 'shutdown';
      response.socket?.destroySoon();
    });
  }
}
