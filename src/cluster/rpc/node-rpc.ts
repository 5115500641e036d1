import type { RedisConnection } from '../redis/redis-connection.js';
import { type Clock, errorMessage, scheduleDeadline, SwarmlensError, type Logger } from '../../shared/index.js';
import { NODE_MESSAGE_VERSION, type NodeMessage } from './node-messages.js';
import { noOwnerError, type OwnershipCandidate } from '../ownership.js';

/** What a node is asked to do with a server that it watches. */
export type NodeRequest =
  | { readonly what: 'poll'; readonly reconnects: boolean }
  | { readonly what: 'tool'; readonly tool: string; readonly args: Readonly<Record<string, unknown>> };

export interface NodeRpcDeps {
  readonly link: RedisConnection;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What this node does with a server; `null`: it does not watch it. */
  readonly ownedServer: (serverId: string) => OwnershipCandidate | null;
}

/** Longer than any call takes: that its server does not answer is for the node to say that calls it. */
const MAX_WAIT_MS = 60_000;
/** That wait for other nodes, and that other nodes wait for: each. */
const MAX_CALLS = 256;

interface PendingRequest {
  readonly nodeId: string;
  readonly answered: (value: unknown) => void;
  readonly failed: (error: Error) => void;
}

/** Asks other nodes about the servers that they watch, and answers them about those of this one. */
export class NodeRpc implements Disposable {
  readonly #deps: NodeRpcDeps;
  readonly #pending = new Map<number, PendingRequest>();
  /** By node and number. */
  readonly #inFlight = new Map<string, AbortController>();
  #lastNumber = 0;

  constructor(deps: NodeRpcDeps) {
    this.#deps = deps;
  }

  /** Calls of this node that wait, and calls of other nodes that are under way here. */
  get size(): number {
    return this.#pending.size + this.#inFlight.size;
  }

  /**
   * @throws SwarmlensError what the other node threw; SERVER_UNAVAILABLE when it is not heard of again; the signal's
   * reason when that is aborted
   */
  request(nodeId: string, serverId: string, asked: NodeRequest, signal: AbortSignal): Promise<unknown> {
    const { link, clock } = this.#deps;
    if (signal.aborted) return Promise.reject(signal.reason as Error); // whatever the caller has given
    if (link.failureReason !== null) return Promise.reject(unreachable(serverId, link.failureReason));
    if (this.#pending.size >= MAX_CALLS) {
      return Promise.reject(unreachable(serverId, 'too many calls wait for other nodes'));
    }
    const number = (this.#lastNumber += 1);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#pending.delete(number);
        patience[Symbol.dispose]();
        signal.removeEventListener('abort', abort);
      };
      const failed = (error: Error): void => {
        end();
        reject(error);
      };
      const giveUp = (error: Error): void => {
        failed(error);
        this.#send(nodeId, [NODE_MESSAGE_VERSION, 'abort', link.nodeId, number]);
      };
      const abort = (): void => giveUp(signal.reason as Error); // as above
      const patience = scheduleDeadline(clock, MAX_WAIT_MS, () =>
        giveUp(unreachable(serverId, 'its node does not answer')),
      );
      const answered = (value: unknown): void => {
        end();
        resolve(value);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#pending.set(number, { nodeId, answered, failed });
      const letter = letterOf(link.nodeId, number, serverId, asked);
      link.publish(link.keys.nodeChannel(nodeId), letter).catch((error: unknown) => {
        if (this.#pending.has(number)) failed(unreachable(serverId, errorMessage(error)));
      });
    });
  }

  /** A letter that is about calls. */
  receive(letter: Exclude<NodeMessage, [unknown, 'want', ...unknown[]]>): void {
    switch (letter[1]) {
      case 'answer':
        return this.#pending.get(letter[2])?.answered(letter[3]);
      case 'refusal': {
        const [, , number, code, message, details] = letter;
        return this.#pending
          .get(number)
          ?.failed(code === null ? new Error(message) : new SwarmlensError(code, message, details));
      }
      case 'abort':
        return this.#inFlight.get(`${letter[2]} ${letter[3]}`)?.abort();
      case 'poll': {
        const [, , nodeId, number, serverId, reconnects] = letter;
        return void this.#answer(nodeId, number, serverId, { what: 'poll', reconnects });
      }
      case 'tool': {
        const [, , nodeId, number, serverId, tool, args] = letter;
        return void this.#answer(nodeId, number, serverId, { what: 'tool', tool, args });
      }
    }
  }

  /** Nobody waits any longer for those that will not answer. @param isGone by node */
  failPending(isGone: (nodeId: string) => boolean, reason: string): void {
    for (const { nodeId, failed } of [...this.#pending.values()]) {
      if (isGone(nodeId)) failed(new SwarmlensError('SERVER_UNAVAILABLE', `Not known whether it was done: ${reason}.`));
    }
  }

  [Symbol.dispose](): void {
    this.failPending(() => true, 'this node is stopping');
    for (const abort of this.#inFlight.values()) abort.abort();
  }

  async #answer(nodeId: string, number: number, serverId: string, asked: NodeRequest): Promise<void> {
    const key = `${nodeId} ${number}`;
    const abort = new AbortController();
    try {
      if (this.#inFlight.size >= MAX_CALLS) throw unreachable(serverId, 'its node has too many calls under way');
      this.#inFlight.set(key, abort);
      const answer = await this.#do(serverId, asked, abort.signal);
      this.#send(nodeId, [NODE_MESSAGE_VERSION, 'answer', number, answer]);
    } catch (error) {
      this.#send(nodeId, this.#refusal(number, error));
    } finally {
      if (this.#inFlight.get(key) === abort) this.#inFlight.delete(key);
    }
  }

  async #do(serverId: string, asked: NodeRequest, signal: AbortSignal): Promise<unknown> {
    const claim = this.#deps.ownedServer(serverId);
    if (claim === null) throw noOwnerError(serverId);
    return asked.what === 'poll' ? claim.poll(asked.reconnects) : claim.callTool(asked.tool, asked.args, signal);
  }

  #refusal(number: number, error: unknown): NodeMessage {
    if (error instanceof SwarmlensError && isForOthers(error.code)) {
      return [NODE_MESSAGE_VERSION, 'refusal', number, error.code, error.message, { ...error.details }];
    }
    this.#deps.logger.error({ error: errorMessage(error) }, "another node's call failed");
    return [NODE_MESSAGE_VERSION, 'refusal', number, null, 'the call failed on the node that watches the server', {}];
  }

  #send(nodeId: string, letter: NodeMessage): void {
    const { link, logger } = this.#deps;
    link.publish(link.keys.nodeChannel(nodeId), letter).catch((error: unknown) => {
      logger.debug({ nodeId, error: errorMessage(error) }, 'another node could not be told');
    });
  }
}

function letterOf(nodeId: string, number: number, serverId: string, asked: NodeRequest): NodeMessage {
  if (asked.what === 'poll') return [NODE_MESSAGE_VERSION, 'poll', nodeId, number, serverId, asked.reconnects];
  return [NODE_MESSAGE_VERSION, 'tool', nodeId, number, serverId, asked.tool, { ...asked.args }];
}

function isForOthers(code: SwarmlensError['code']): code is 'BAD_USER_INPUT' | 'FORBIDDEN' | 'SERVER_UNAVAILABLE' {
  return code === 'BAD_USER_INPUT' || code === 'FORBIDDEN' || code === 'SERVER_UNAVAILABLE';
}

function unreachable(serverId: string, reason: string): SwarmlensError {
  const message = `Server "${serverId}" is watched by another node, which cannot be asked: ${reason}.`;
  return new SwarmlensError('SERVER_UNAVAILABLE', message, { serverId });
}
