import type { IncomingMessage, ServerResponse } from 'node:http';

/** The open responses that go on for as long as somebody listens. */
export class SseResponses {
  readonly #open = new Set<ServerResponse>();

  /** Whether the answer may be one: by what the client accepts, since only running the operation would tell. */
  static isRequested({ headers }: IncomingMessage): boolean {
    return /text\/event-stream|multipart\/mixed/i.test(headers.accept ?? '');
  }

  add(response: ServerResponse): void {
    this.#open.add(response);
    response.once('close', () => this.#open.delete(response));
  }

  /**
   * What ends each of them: with all that was written, but without the word that it is complete. By that clients know
   * that it is not, and ask again elsewhere.
   */
  closeActions(): (() => void)[] {
    return [...this.#open].map((response) => () => response.socket?.destroySoon());
  }
}
