import { CloseCode } from 'graphql-ws';
import { z } from 'zod';
import type { Authenticator, Viewer } from '../../auth/index.js';
import { RateLimit } from '../../delivery/index.js';
import { CLOSE_TRY_AGAIN_LATER, SwarmlensError, truncateCloseReason } from '../../shared/index.js';

/** Payload of `connection_init`. Other keys are ignored, because clients send their own. */
const connectionInitSchema = z
  .looseObject({
    maxHz: z.number({ error: '"maxHz" must be a number above 0' }).positive().nullish(),
    authorization: z.string({ error: '"authorization" must be a string: "Bearer <token>"' }).nullish(),
  })
  .nullish();

/** Viewer of one WebSocket, from `connection_init` until the token expires and the WebSocket is closed. */
export class SocketSession implements Disposable {
  /** Highest update rate of all streams, which the client sets in `connection_init` and with the mutation `setMaxHz`. */
  readonly rateLimit = new RateLimit();
  readonly #authenticator: Pick<Authenticator, 'authenticate' | 'watch'>;
  readonly #header: string | null;
  readonly #close: (code: number, reason: string) => void;
  #viewer: Viewer | null = null;
  #watch: Disposable | null = null;
  #isClosed = false;

  /** @param header `Authorization` header of the upgrade request */
  constructor(
    authenticator: Pick<Authenticator, 'authenticate' | 'watch'>,
    header: string | null,
    close: (code: CloseCode | number, reason: string) => void,
  ) {
    this.#authenticator = authenticator;
    this.#header = header;
    this.#close = close;
  }

  /** Current viewer. Null before `connection_init` is accepted. */
  get viewer(): Viewer | null {
    return this.#viewer;
  }

  /**
   * Authenticates the client by the token of `connection_init`, or of the upgrade request if that has none.
   * @returns whether the client is accepted; the WebSocket is closed with the reason otherwise
   */
  async authenticate(payload: unknown): Promise<boolean> {
    const init = connectionInitSchema.safeParse(payload);
    if (!init.success) {
      this.#end(CloseCode.BadRequest, `connection_init: ${init.error.issues[0]?.message ?? 'invalid payload'}`);
      return false;
    }
    try {
      const viewer = await this.#authenticator.authenticate(init.data?.authorization ?? this.#header);
      this.rateLimit.maxHz = init.data?.maxHz ?? null;
      this.#accept(viewer);
    } catch (error) {
      if (!(error instanceof SwarmlensError)) throw error;
      this.#end(error.code === 'UNAUTHENTICATED' ? CloseCode.Forbidden : CLOSE_TRY_AGAIN_LATER, error.message);
    }
    return !this.#isClosed;
  }

  /**
   * Replaces the token. Running operations keep their permissions and count towards the limits of their subject, therefore the
   * new token needs the same ones.
   * @throws SwarmlensError UNAUTHENTICATED if the token is invalid, FORBIDDEN if its subject or permissions differ
   */
  async reauthenticate(token: string): Promise<Viewer> {
    const viewer = await this.#authenticator.authenticate(`Bearer ${token}`);
    if (viewer.subject !== this.#viewer?.subject) {
      throw new SwarmlensError('FORBIDDEN', 'The new token has a different subject. Open a new connection to use it.');
    }
    if (viewer.scope !== this.#viewer.scope) {
      throw new SwarmlensError(
        'FORBIDDEN',
        'The new token has different permissions. Open a new connection to use it.',
      );
    }
    this.#accept(viewer);
    return viewer;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
  }

  #accept(viewer: Viewer): void {
    // The client may have disconnected during authentication.
    if (this.#isClosed) return;
    this.#viewer = viewer;
    this.#watch?.[Symbol.dispose]();
    this.#watch = this.#authenticator.watch(viewer, (reason) => this.#end(CloseCode.Forbidden, reason));
  }

  #end(code: CloseCode | number, reason: string): void {
    this.#isClosed = true;
    this.#close(code, truncateCloseReason(reason));
  }
}
