import { type Signal, signal } from '@preact/signals';
import type { TokenRequest } from '@swarmlens/client';

/** Asks the user for a token when the server requires one. Keeps it in memory until the page is closed. */
export class TokenPrompt {
  /** Reason for which the user is asked. Null if the user is not asked. */
  readonly reason: Signal<string | null> = signal(null);
  #token: string | null = null;
  #resolve: (token: string) => void = () => undefined;

  /** Token function of the client. Asks the user only after a rejection. */
  readonly source = ({ rejection, signal: aborted }: TokenRequest): Promise<string | null> => {
    if (rejection === null) return Promise.resolve(this.#token);
    this.reason.value = rejection;
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        this.reason.value = null;
        reject(new Error('the token is no longer needed'));
      };
      aborted.addEventListener('abort', cancel, { once: true });
      this.#resolve = (token) => {
        aborted.removeEventListener('abort', cancel);
        this.#token = token;
        resolve(token);
      };
    });
  };

  /** Passes the token that the user entered to the client. */
  enter(token: string): void {
    this.reason.value = null;
    this.#resolve(token);
  }
}
