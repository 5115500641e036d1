import type { Clock } from '../shared/index.js';
import type { RpcMessage } from './rpc-message.js';

/** A call that was written and not answered for so long does not hold up the next one any more. */
const GIVE_UP_MS = 10_000;
/** How long a call waits for those of the person, before whoever asks is told to come back later. */
const BUSY_MS = 1_000;
const COME_BACK_S = 0.5;
const MAX_WAITING = 64;
/** Answers that are still thought possible, of a server that gives none. */
const MAX_WRITTEN = 1_000;
/** Methods whose caller can do without an answer for a while; the others belong to the handshake. */
const PUT_OFF = new Set(['tools/call', 'ping']);

const SERVER_ERROR = -32_000;

export interface InjectedRequest {
  readonly method: string;
  readonly params: unknown;
}

/** The part of a JSON-RPC answer behind the id. */
export type InjectedResponse = { readonly result: unknown } | { readonly error: unknown };

export interface InjectedCallsOptions {
  /** That ids begin with; nobody else's do. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Whether something may be written to the server now. */
  readonly canWrite: () => boolean;
  /** Whether it is the person's calls that everything waits for. */
  readonly isClientBusy: () => boolean;
  readonly write: (line: string) => void;
}

interface InjectedCall {
  readonly request: InjectedRequest;
  readonly answer: (answer: InjectedResponse) => void;
  isWanted: boolean;
  /** Ends its wait, for its turn or for its answer. */
  timer: Disposable | null;
}

/** The calls that swarmlens makes on the person's session: one at a time, in order, each with an id that is nobody else's. */
export class InjectedCalls {
  readonly #options: InjectedCallsOptions;
  readonly #waiters: InjectedCall[] = [];
  /** Written, and not answered yet; be they given up or not. */
  readonly #written = new Map<string, InjectedCall>();
  #current: string | null = null;
  #count = 0;

  constructor(options: InjectedCallsOptions) {
    this.#options = options;
  }

  /** Whether an answer may still come. */
  get expectsResponse(): boolean {
    return this.#written.size > 0;
  }

  /**
   * Makes a call as soon as that disturbs nobody.
   * @param answer called once, unless the call is dropped
   */
  add(request: InjectedRequest, answer: (answer: InjectedResponse) => void): Disposable {
    const call: InjectedCall = { request, answer, isWanted: true, timer: null };
    if (this.#waiters.length >= MAX_WAITING) {
      this.#end(call, refusal('too many calls are waiting', COME_BACK_S));
    } else {
      this.#waiters.push(call);
      if (PUT_OFF.has(request.method)) {
        call.timer = this.#options.clock.schedule(BUSY_MS, () => this.#putOff(call));
      }
      this.flush();
    }
    return { [Symbol.dispose]: () => this.#drop(call) };
  }

  /** Something has changed that calls wait for. */
  flush(): void {
    while (this.#current === null && this.#waiters.length > 0 && this.#options.canWrite()) this.#write();
  }

  /** @returns whether it is an answer to a call of ours, be it late or for the second time */
  handleResponse({ id, result, error }: RpcMessage): boolean {
    if (typeof id !== 'string' || !id.startsWith(this.#options.prefix)) return false;
    const call = this.#written.get(id);
    this.#written.delete(id);
    if (call !== undefined) this.#end(call, error === undefined ? { result: result ?? {} } : { error });
    if (id === this.#current) this.#current = null;
    this.flush();
    return true;
  }

  /** Nothing can be written any more. */
  rejectAll(): void {
    for (const call of this.#waiters.splice(0)) this.#end(call, refusal('the session is ending', null));
  }

  #write(): void {
    const call = this.#waiters.shift();
    if (call === undefined) return;
    this.#stopWaiting(call);
    this.#count += 1;
    const id = `${this.#options.prefix}${this.#count}`;
    this.#current = id;
    this.#written.set(id, call);
    for (const oldest of this.#written.keys()) {
      if (this.#written.size <= MAX_WRITTEN) break;
      this.#written.delete(oldest);
    }
    call.timer = this.#options.clock.schedule(GIVE_UP_MS, () => this.#giveUp(id, call));
    const { method, params } = call.request;
    this.#options.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  }

  /** Its answer may still come, and is then taken out and dropped. */
  #giveUp(id: string, call: InjectedCall): void {
    if (!this.#written.has(id)) return;
    this.#end(call, refusal(`the server did not answer within ${GIVE_UP_MS} ms`, null));
    if (id === this.#current) this.#current = null;
    this.flush();
  }

  #putOff(call: InjectedCall): void {
    if (!this.#options.isClientBusy() || !this.#remove(call)) return;
    this.#end(call, refusal("calls of the person's own client are under way", COME_BACK_S));
  }

  #drop(call: InjectedCall): void {
    call.isWanted = false;
    // One that was written has its turn until it is answered or given up.
    if (this.#remove(call)) this.#stopWaiting(call);
  }

  #end(call: InjectedCall, answer: InjectedResponse): void {
    this.#stopWaiting(call);
    if (!call.isWanted) return;
    call.isWanted = false;
    call.answer(answer);
  }

  #stopWaiting(call: InjectedCall): void {
    call.timer?.[Symbol.dispose]();
    call.timer = null;
  }

  #remove(call: InjectedCall): boolean {
    const index = this.#waiters.indexOf(call);
    if (index >= 0) this.#waiters.splice(index, 1);
    return index >= 0;
  }
}

function refusal(message: string, retryAfter: number | null): InjectedResponse {
  return { error: { code: SERVER_ERROR, message, ...(retryAfter === null ? {} : { data: { retryAfter } }) } };
}
