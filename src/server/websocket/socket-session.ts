import { CloseCode } from 'graphql-ws';
import { z } from 'zod';
import type { Authenticator, Viewer } from '../../auth/index.js';
import { SwarmlensError } from '../../shared/index.js';

/** WebSocket close code that clients answer by connecting again, later. */
const TRY_AGAIN_LATER = 1013;

/** Bytes that a close frame has for its reason (RFC 6455, 5.5). */
const MAX_REASON_BYTES = 123;

const TOO_LOW = '"maxHz" must be a number above 0';

/** `connection_init` may carry these; other keys are ignored, as clients send their own. */
const INIT = z
  .looseObject({
    maxHz: z.number({ error: TOO_LOW }).positive({ error: TOO_LOW }).nullish(),
    authorization: z.string({ error: '"authorization" must be text: "Bearer <token>"' }).nullish(),
  })
  .nullish();

/** Who is at the other end of one WebSocket, from `connection_init` until their token ends, and the socket with it. */
export class SocketSession implements Disposable {
  readonly #authenticator: Authenticator;
  readonly #header: string | null;
  readonly #close: (code: number, reason: string) => void;
  #viewer: Viewer | null = null;
  #watch: Disposable | null = null;
  #maxHz: number | null = null;
  #isOver = false;

  /** @param header `Authorization` of the upgrade */
  constructor(
    authenticator: Authenticator,
    header: string | null,
    close: (code: CloseCode | number, reason: string) => void,
  ) {
    this.#authenticator = authenticator;
    this.#header = header;
    this.#close = close;
  }

  /** `null`: nobody yet. */
  get viewer(): Viewer | null {
    return this.#viewer;
  }

  /** Updates a second that the client says it can draw; `null`: it did not say. */
  get maxHz(): number | null {
    return this.#maxHz;
  }

  /**
   * What the client says of itself, in `connection_init` or, where that has no token, with the upgrade.
   * @returns whether it is let in; the socket has been closed with the reason otherwise
   */
  async authenticate(payload: unknown): Promise<boolean> {
    const init = INIT.safeParse(payload);
    if (!init.success) {
      this.#end(CloseCode.BadRequest, `connection_init: ${init.error.issues[0]?.message ?? 'is not understood'}`);
      return false;
    }
    try {
      const viewer = await this.#authenticator.authenticate(init.data?.authorization ?? this.#header);
      this.#maxHz = init.data?.maxHz ?? null;
      this.#stay(viewer);
    } catch (error) {
      if (!(error instanceof SwarmlensError)) throw error;
      this.#end(error.code === 'UNAUTHENTICATED' ? CloseCode.Forbidden : TRY_AGAIN_LATER, error.message);
    }
    return !this.#isOver;
  }

  /**
   * Goes on with another token, until that one ends.
   * @throws SwarmlensError UNAUTHENTICATED, or FORBIDDEN when it gives other rights: what runs here runs with those of the old
   */
  async reauthenticate(token: string): Promise<Viewer> {
    const viewer = await this.#authenticator.authenticate(`Bearer ${token}`);
    if (viewer.scope !== this.#viewer?.scope) {
      throw new SwarmlensError('FORBIDDEN', 'The token gives other rights than the one before: open a new connection.');
    }
    this.#stay(viewer);
    return viewer;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#watch?.[Symbol.dispose]();
  }

  #stay(viewer: Viewer): void {
    // The client may have left while it was found out who it is.
    if (this.#isOver) return;
    this.#viewer = viewer;
    this.#watch?.[Symbol.dispose]();
    this.#watch = this.#authenticator.watch(viewer, (reason) => this.#end(CloseCode.Forbidden, reason));
  }

  #end(code: CloseCode | number, reason: string): void {
    this.#isOver = true;
    this.#close(code, shortened(reason));
  }
}

function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  // A character that is cut in two is left out.
  return bytes.length <= MAX_REASON_BYTES
    ? reason
    : bytes.toString('utf8', 0, MAX_REASON_BYTES - 3).replace(/\uFFFD+$/, '');
}
