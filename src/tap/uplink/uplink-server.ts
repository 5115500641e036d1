import { TAP_CALL_METHOD } from '../../shared/index.js';
import type { ObservedToolCall } from '../session-tracker.js';
import { Uplink, type UplinkOptions } from './uplink.js';
import { parseMessages, type RpcId, type RpcMessage } from '../rpc-message.js';
import type { StdioProxy } from '../stdio-proxy.js';

const INTERNAL_ERROR = -32_603;

/** What swarmlens gets to see of a session: to it we are an MCP server that speaks one message a frame. */
export class UplinkServer {
  readonly #passage: Pick<StdioProxy, 'call' | 'initializeResult'>;
  readonly #link: Pick<Uplink, 'send' | 'takeDropped'>;
  /** Those under way; `null`: it is just being made. */
  readonly #calls = new Map<RpcId, Disposable | null>();
  /** Who has greeted us before the person's client has greeted the server. */
  #greeter: RpcId | null = null;

  constructor(passage: Pick<StdioProxy, 'call' | 'initializeResult'>, link: Pick<Uplink, 'send' | 'takeDropped'>) {
    this.#passage = passage;
    this.#link = link;
  }

  receive(text: string): void {
    for (const message of parseMessages(Buffer.from(text))) this.#take(message);
  }

  /** swarmlens is gone, and with it all that it wanted to know. */
  reset(): void {
    for (const call of this.#calls.values()) call?.[Symbol.dispose]();
    this.#calls.clear();
    this.#greeter = null;
  }

  /** The server has been greeted. */
  sessionInitialized(): void {
    const { initializeResult } = this.#passage;
    if (this.#greeter === null || initializeResult === null) return;
    this.#link.send({ id: this.#greeter, result: initializeResult });
    this.#greeter = null;
  }

  forwardCall({ tool, arguments: args, result, error }: ObservedToolCall): void {
    const dropped = this.#link.takeDropped();
    this.#link.send({
      method: TAP_CALL_METHOD,
      params: { tool, arguments: args, result, error, ...(dropped === 0 ? {} : { dropped }) },
    });
  }

  toolsChanged(): void {
    this.#link.send({ method: 'notifications/tools/list_changed' });
  }

  #take({ id, method, params }: RpcMessage): void {
    if (method === 'notifications/cancelled') this.#cancel(params);
    // All other notifications are meant for a server that we have greeted, and answers for one that has asked us.
    if (method === undefined || id === undefined) return;
    if (method === 'initialize') {
      this.#greeter = id;
      this.sessionInitialized();
    } else if (this.#calls.has(id)) {
      this.#link.send({ id, error: { code: INTERNAL_ERROR, message: 'there is a call of this id' } });
    } else {
      this.#request(id, method, params);
    }
  }

  #request(id: RpcId, method: string, params: unknown): void {
    this.#calls.set(id, null);
    const call = this.#passage.call({ method, params }, (answer) => {
      this.#calls.delete(id);
      this.#link.send({ id, ...answer });
    });
    // One that is refused is answered before it is there.
    if (this.#calls.has(id)) this.#calls.set(id, call);
  }

  #cancel(params: unknown): void {
    const id = typeof params === 'object' && params !== null && 'requestId' in params ? params.requestId : undefined;
    if (typeof id !== 'string' && typeof id !== 'number') return;
    this.#calls.get(id)?.[Symbol.dispose]();
    this.#calls.delete(id);
  }
}

/** Lets swarmlens see a session, whenever it is there. */
export function startUplink(passage: StdioProxy, options: UplinkOptions): { link: Uplink; observation: UplinkServer } {
  const link = new Uplink(options, {
    onMessage: (text) => observation.receive(text),
    onClose: () => observation.reset(),
  });
  const observation = new UplinkServer(passage, link);
  return { link, observation };
}
