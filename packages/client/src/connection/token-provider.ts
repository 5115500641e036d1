import { SwarmClientError } from '../errors.js';
import type { TokenSource } from '../options.js';

/** The token that is in use, where the next one comes from, and how often the server has said no. */
export class TokenProvider {
  readonly #source: TokenSource | undefined;
  readonly #maxRefusals: number;
  /** `undefined`: has to be asked for. */
  #token: string | null | undefined;
  #refusal: string | null = null;
  #refusals = 0;

  constructor(source: TokenSource | undefined, maxRefusals: number) {
    this.#source = source;
    this.#maxRefusals = maxRefusals;
    if (typeof source !== 'function') this.#token = source ?? null;
  }

  /** Whether there can be another one than that in use. */
  get canRenew(): boolean {
    return typeof this.#source === 'function';
  }

  /** The one in use, asked for where there is none. @throws whatever its source throws, and the reason of `signal` */
  async get(signal: AbortSignal): Promise<string | null> {
    if (this.#token === undefined) this.#token = await this.ask(signal);
    return this.#token;
  }

  /** Another one, which is not in use yet. @throws whatever its source throws, and the reason of `signal` */
  async ask(signal: AbortSignal): Promise<string | null> {
    if (typeof this.#source !== 'function') return this.#source ?? null;
    signal.throwIfAborted();
    let interrupt: () => void = () => undefined;
    const interrupted = new Promise<never>((_, reject) => {
      interrupt = () => reject(new SwarmClientError('CLIENT_CLOSED', 'Nobody waits for the token any more.'));
      signal.addEventListener('abort', interrupt, { once: true });
    });
    try {
      return await Promise.race([this.#source({ rejection: this.#refusal, signal }), interrupted]);
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  }

  /** Uses this one from now on. */
  use(token: string | null): void {
    this.#token = token;
  }

  /** The server let us in with the one in use. */
  accepted(): void {
    this.#refusal = null;
    this.#refusals = 0;
  }

  /**
   * The server does not accept the one in use, or not any more.
   * @returns what ends the client; `null`: there may be a better one
   */
  rejected(reason: string): SwarmClientError | null {
    this.#refusals += 1;
    this.#refusal = reason;
    if (this.#source === undefined) return denied(reason, 'Pass a `token`.');
    if (!this.canRenew)
      return denied(reason, 'Make a new client with another `token`, or pass a function that gets one.');
    this.#token = undefined;
    if (this.#refusals < this.#maxRefusals) return null;
    return denied(reason, `That was the answer ${this.#refusals} times in a row: check what \`token\` returns.`);
  }
}

function denied(reason: string, advice: string): SwarmClientError {
  const words = reason === '' ? 'The server refuses access' : `The server refuses access: ${reason}`;
  return new SwarmClientError('ACCESS_DENIED', `${words.replace(/\.$/, '')}. ${advice}`, 4403);
}
