import type { IncomingMessage, ServerResponse } from 'node:http';

/** Registry of open SSE responses, which are closed during shutdown. */
export class SseResponses {
  readonly #open = new Set<ServerResponse>();

  /** Whether the client accepts a streamed response. Only execution tells whether the response is one. */
  static isRequested({ headers }: IncomingMessage): boolean {
    return /text\/event-stream|multipart\/mixed/i.test(headers.accept ?? '');
  }

  add(response: ServerResponse): void {
    this.#open.add(response);
    response.once('close', () => this.#open.delete(response));
  }

  /**
   * Returns one function per response that closes it after all written bytes are sent, but without the `complete` event.
   * Clients then reconnect to another node.
   */
  closeActions(): (() => void)[] {
    return [...this.#open].map((response) => () => response.socket?.destroySoon());
  }
}
