import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { Clock } from '../../shared/index.js';
import { toPrintableLine } from '../../shared/sanitize/index.js';
import { ToolRejectedError } from '../errors.js';
import { HttpStatusError } from '../transports/http/http-errors.js';
import { TransportDecorator } from './transport-decorator.js';

type Request = Extract<JSONRPCMessage, { method: string; id: unknown }>;
type Response = Exclude<JSONRPCMessage, { method: string }>;
type SendOptions = Parameters<Transport['send']>[1];
type Extra = Parameters<NonNullable<Transport['onmessage']>>[1];

export interface VersionProbeOptions {
  readonly clock: Clock;
  /** Time in milliseconds after which an unanswered probe counts as rejected. Null waits without limit. */
  readonly patienceMs: number | null;
}

const METHOD_NOT_FOUND = -32601;
const MAX_VERSIONS = 16;
const MAX_VERSION_LENGTH = 32;

const versionsSchema = z.array(z.string()).min(1);
const discoverResultSchema = z.object({ supportedVersions: versionsSchema });
const initializeResultSchema = z.object({ protocolVersion: z.string() });
const versionErrorSchema = z.object({ data: z.object({ supported: versionsSchema }) });

/**
 * Decides how long the version negotiation of the official client may take on one connection. The client sends
 * `server/discover` first. Any failure of this request, and a silence, counts as the answer of a server that does not know the
 * method, so that the client continues with `initialize` on the same connection. A later answer is dropped.
 */
export class VersionProbeTransport extends TransportDecorator {
  /** Called for errors during the probe, for which the official client has no handler yet. */
  onProbeError?: (error: Error) => void;
  readonly #options: VersionProbeOptions;
  #probe: { readonly id: Request['id']; isPending: boolean } | null = null;
  #timer: Disposable | null = null;
  #initializeId: Request['id'] | null = null;
  #isNegotiating = true;
  #initializeAnswer: 'RESULT' | 'ERROR' | null = null;
  #hasReceived = false;
  #supportedVersions: readonly string[] = [];

  constructor(inner: Transport, options: VersionProbeOptions) {
    super(inner);
    this.#options = options;
    inner.onerror = (error) => {
      if (this.#probe?.isPending === true) this.onProbeError?.(error);
      this.onerror?.(error);
    };
  }

  /** Whether `server/discover` was sent. */
  get hasProbed(): boolean {
    return this.#probe !== null;
  }

  /** Whether the server has sent a message. */
  get hasReceived(): boolean {
    return this.#hasReceived;
  }

  /** Answer to `initialize`. Null if there is none. */
  get initializeAnswer(): 'RESULT' | 'ERROR' | null {
    return this.#initializeAnswer;
  }

  /** Protocol versions that the server has listed. Empty if it has listed none. */
  get supportedVersions(): readonly string[] {
    return this.#supportedVersions;
  }

  override async send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    if (this.#isNegotiating && 'method' in message && 'id' in message) {
      if (message.method === 'server/discover') {
        await this.#sendProbe(message, options);
        return;
      }
      this.#isNegotiating = false;
      if (message.method === 'initialize') {
        await this.#sendInitialize(message, options);
        return;
      }
    }
    await super.send(message, options);
  }

  override setProtocolVersion(version: string): void {
    this.#isNegotiating = false;
    super.setProtocolVersion(version);
  }

  override async close(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await super.close();
  }

  protected override received(message: JSONRPCMessage, extra: Extra): void {
    this.#hasReceived = true;
    if ('method' in message || message.id === undefined) super.received(message, extra);
    else if (message.id === this.#probe?.id) {
      this.#recordVersions(message);
      this.#endProbe(message, extra);
    } else {
      if (message.id === this.#initializeId) {
        this.#initializeAnswer ??= 'error' in message ? 'ERROR' : 'RESULT';
        this.#recordVersions(message);
      }
      super.received(message, extra);
    }
  }

  async #sendInitialize(message: Request, options: SendOptions): Promise<void> {
    this.#initializeId = message.id;
    try {
      await super.send(message, options);
    } catch (error) {
      // Over HTTP, a rejection is no message.
      if (error instanceof ToolRejectedError && error.retryAfterMs === null) {
        this.#initializeAnswer ??= 'ERROR';
        this.#recordVersions(rejection(message.id, error));
      } else if (error instanceof HttpStatusError) this.#initializeAnswer ??= 'ERROR';
      throw error;
    }
  }

  async #sendProbe(message: Request, options: SendOptions): Promise<void> {
    const { id } = message;
    const { clock, patienceMs } = this.#options;
    this.#probe = { id, isPending: true };
    this.#timer?.[Symbol.dispose]();
    if (patienceMs !== null) this.#timer = clock.schedule(patienceMs, () => this.#endProbe(rejection(id)));
    try {
      await super.send(message, options);
    } catch (error) {
      if (error instanceof ToolRejectedError) {
        if (error.retryAfterMs !== null) throw error;
        const failure = rejection(id, error);
        this.#recordVersions(failure);
        this.#endProbe(failure);
      } else this.#endProbe(rejection(id));
    }
  }

  /** Passes on the first answer to the probe. */
  #endProbe(answer: Response, extra?: Extra): void {
    const probe = this.#probe;
    if (probe?.isPending !== true || probe.id !== answer.id) return;
    probe.isPending = false;
    this.#timer?.[Symbol.dispose]();
    super.received(answer, extra);
  }

  #recordVersions(message: Response): void {
    const versions = listedVersions(message);
    if (versions === null) return;
    const printable = versions.slice(0, MAX_VERSIONS).map((version) => toPrintableLine(version, MAX_VERSION_LENGTH));
    this.#supportedVersions = [...new Set([...this.#supportedVersions, ...printable])];
  }
}

/** Returns the protocol versions that an answer lists. Null if it lists none. */
function listedVersions(message: Response): readonly string[] | null {
  if ('error' in message) return versionErrorSchema.safeParse(message.error).data?.data.supported ?? null;
  const discovered = discoverResultSchema.safeParse(message.result).data?.supportedVersions;
  if (discovered !== undefined) return discovered;
  const { protocolVersion } = initializeResultSchema.safeParse(message.result).data ?? {};
  return protocolVersion === undefined ? null : [protocolVersion];
}

function rejection(id: Request['id'], cause: ToolRejectedError | null = null): Response {
  const { rpcCode: code = METHOD_NOT_FOUND, message = 'server/discover was not answered', data } = cause ?? {};
  return { jsonrpc: '2.0', id, error: { code, message, ...(data == null ? {} : { data }) } };
}
