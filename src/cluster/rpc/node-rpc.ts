import { MessageTooLongError } from '../redis/envelope.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { type Clock, errorMessage, scheduleDeadline, SwarmlensError, type Logger } from '../../shared/index.js';
import type { ToolCaller } from '../../model/index.js';
import { createView, restrictView, showsToolResultsOf, type Store } from '../../state/index.js';
import { FORWARDED_CODES, type NodeMessage } from './node-messages.js';
import { noOwnerError, type OwnershipCandidate } from '../ownership.js';

/** Request to a node about a server that it owns. */
export type NodeRequest =
  | { readonly action: 'poll'; readonly reconnects: boolean }
  | {
      readonly action: 'tool';
      readonly tool: string;
      readonly args: Readonly<Record<string, unknown>>;
      /** Viewer of the call. The owner checks its rights again and counts the call towards its share. */
      readonly caller: ToolCaller;
    };

export interface NodeRpcDeps {
  readonly link: RedisConnection;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns the claim of a server. Null if this node does not own it. */
  readonly ownedServer: (serverId: string) => OwnershipCandidate | null;
}

/** Timeout of a request in milliseconds. Longer than any tool call, whose timeout the owner reports. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Maximum number of pending requests to other nodes, and of pending requests from other nodes. */
const MAX_PENDING_REQUESTS = 256;
/** Maximum number of pending tool calls to other nodes, which leaves requests for polls. */
const MAX_PENDING_CALLS = 192;
/** Maximum number of pending tool calls of one client to other nodes. */
const MAX_PENDING_CALLS_PER_CLIENT = 32;
/** Permission of viewers who may call tools. */
const TOOL_PERMISSION = 'tools:call';
/** Delay in milliseconds after which a client may repeat a rejected call. */
const RETRY_AFTER_MS = 500;

interface PendingRequest {
  readonly nodeId: string;
  /** Client of a tool call. Null for polls. */
  readonly clientId: string | null;
  readonly resolveWith: (value: unknown) => void;
  readonly rejectWith: (error: Error) => void;
}

/** Sends requests to other nodes and answers theirs. */
export class NodeRpc implements Disposable {
  readonly #deps: NodeRpcDeps;
  readonly #pending = new Map<number, PendingRequest>();
  /** Requests of other nodes in progress, by node and number. */
  readonly #inFlight = new Map<string, AbortController>();
  #lastNumber = 0;

  constructor(deps: NodeRpcDeps) {
    this.#deps = deps;
  }

  /** Number of pending requests of this node and of requests of other nodes in progress. */
  get size(): number {
    return this.#pending.size + this.#inFlight.size;
  }

  /**
   * Sends a request to another node and returns its answer.
   * @throws SwarmlensError FORBIDDEN for a tool call if the nodes have no shared key; the error of the other node; SERVER_UNAVAILABLE if it does not answer; RATE_LIMITED if too many
   *   calls of the client are pending
   * @throws the reason of `signal` if it is aborted
   */
  request(nodeId: string, serverId: string, request: NodeRequest, signal: AbortSignal): Promise<unknown> {
    const { link, clock, logger } = this.#deps;
    if (signal.aborted) return Promise.reject(signal.reason as Error); // the caller aborts with an error
    if (request.action === 'tool' && !link.seal.isKeyed) return Promise.reject(noKeyError(serverId));
    if (!link.isUp) return Promise.reject(unreachableError(serverId, 'Redis is unavailable'));
    if (this.#pending.size >= MAX_PENDING_REQUESTS) {
      return Promise.reject(unreachableError(serverId, 'too many requests to other nodes are pending'));
    }
    const clientId = request.action === 'tool' ? request.caller.clientId : null;
    if (clientId !== null && !this.#hasRoomForCall(clientId)) return Promise.reject(tooManyCallsError(serverId));
    const number = (this.#lastNumber += 1);
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#pending.delete(number);
        timeout[Symbol.dispose]();
        signal.removeEventListener('abort', abort);
      };
      const rejectWith = (error: Error): void => {
        finish();
        reject(error);
      };
      const giveUp = (error: Error): void => {
        rejectWith(error);
        this.#send(nodeId, ['abort', number]).catch(() => undefined);
      };
      const abort = (): void => giveUp(signal.reason as Error); // as above
      const timeout = scheduleDeadline(clock, REQUEST_TIMEOUT_MS, () =>
        giveUp(unreachableError(serverId, 'its owner does not answer')),
      );
      const resolveWith = (value: unknown): void => {
        finish();
        resolve(value);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#pending.set(number, { nodeId, clientId, resolveWith, rejectWith });
      const message = createRequestMessage(number, serverId, request);
      link.publish(link.keys.nodeChannel(nodeId), message).catch((error: unknown) => {
        logger.debug({ nodeId, error: errorMessage(error) }, 'could not send a request to another node');
        if (!this.#pending.has(number)) return;
        const isTooLong = error instanceof MessageTooLongError;
        rejectWith(
          isTooLong ? tooLongError(serverId, 'arguments') : unreachableError(serverId, 'Redis is unavailable'),
        );
      });
    });
  }

  /** Handles a message of another node about requests. */
  receive(nodeMessage: Exclude<NodeMessage, ['demand', ...unknown[]]>, nodeId: string): void {
    switch (nodeMessage[0]) {
      case 'answer':
        return this.#requestTo(nodeId, nodeMessage[1])?.resolveWith(nodeMessage[2]);
      case 'refusal': {
        const [, number, code, message, details] = nodeMessage;
        const error = code === null ? new Error(message) : new SwarmlensError(code, message, details);
        return this.#requestTo(nodeId, number)?.rejectWith(error);
      }
      case 'abort':
        return this.#inFlight.get(`${nodeId} ${nodeMessage[1]}`)?.abort();
      case 'poll': {
        const [, number, serverId, reconnects] = nodeMessage;
        return void this.#answer(nodeId, number, serverId, { action: 'poll', reconnects });
      }
      case 'tool': {
        const [, number, serverId, tool, args, caller] = nodeMessage;
        return void this.#answer(nodeId, number, serverId, { action: 'tool', tool, args, caller });
      }
    }
  }

  /** Fails the pending requests to nodes that will not answer. */
  failPending(isGone: (nodeId: string) => boolean, reason: string): void {
    for (const { nodeId, rejectWith } of [...this.#pending.values()]) {
      if (!isGone(nodeId)) continue;
      const message = `The call may have been executed: ${reason}. Check the server before you retry.`;
      rejectWith(new SwarmlensError('SERVER_UNAVAILABLE', message));
    }
  }

  [Symbol.dispose](): void {
    this.failPending(() => true, 'this node is shutting down');
    for (const abort of this.#inFlight.values()) abort.abort();
  }

  /** Returns the pending request with a number, if it was sent to this node. */
  #requestTo(nodeId: string, number: number): PendingRequest | undefined {
    const pending = this.#pending.get(number);
    return pending?.nodeId === nodeId ? pending : undefined;
  }

  #hasRoomForCall(clientId: string): boolean {
    let calls = 0;
    let callsOfClient = 0;
    for (const pending of this.#pending.values()) {
      if (pending.clientId !== null) calls += 1;
      if (pending.clientId === clientId) callsOfClient += 1;
    }
    return calls < MAX_PENDING_CALLS && callsOfClient < MAX_PENDING_CALLS_PER_CLIENT;
  }

  async #answer(nodeId: string, number: number, serverId: string, request: NodeRequest): Promise<void> {
    const key = `${nodeId} ${number}`;
    const abort = new AbortController();
    try {
      if (this.#inFlight.size >= MAX_PENDING_REQUESTS)
        throw unreachableError(serverId, 'its owner has too many pending requests');
      this.#inFlight.set(key, abort);
      const answer = await this.#execute(serverId, request, abort.signal);
      const isSent = await this.#send(nodeId, ['answer', number, answer]);
      if (!isSent) throw tooLongError(serverId, 'results');
    } catch (error) {
      await this.#send(nodeId, this.#refusal(number, error));
    } finally {
      if (this.#inFlight.get(key) === abort) this.#inFlight.delete(key);
    }
  }

  async #execute(serverId: string, request: NodeRequest, signal: AbortSignal): Promise<unknown> {
    const claim = this.#deps.ownedServer(serverId);
    if (claim === null) throw noOwnerError(serverId);
    if (request.action === 'poll') return claim.poll(request.reconnects);
    const { tool, args, caller } = request;
    this.#assertAllowed(serverId, caller);
    return claim.callTool(tool, args, signal, caller);
  }

  /** Checks again what the node of the client has checked, because this node answers for its servers. */
  #assertAllowed(serverId: string, { permissions, restriction }: ToolCaller): void {
    const { link, store } = this.#deps;
    if (!link.seal.isKeyed) throw noKeyError(serverId);
    const server = store.servers.get(serverId);
    if (server === undefined) throw noOwnerError(serverId);
    const isVisible = showsToolResultsOf(restrictView(createView(), restriction), server);
    if (isVisible && permissions.includes(TOOL_PERMISSION)) return;
    const message = `The token does not permit to call tools of server "${serverId}".`;
    throw new SwarmlensError('FORBIDDEN', message, { serverId });
  }

  #refusal(number: number, error: unknown): NodeMessage {
    if (error instanceof SwarmlensError && isForwardedCode(error.code)) {
      return ['refusal', number, error.code, error.message, { ...error.details }];
    }
    this.#deps.logger.error({ error: errorMessage(error) }, 'request of another node failed');
    return ['refusal', number, null, 'the call failed on the node that owns the server', {}];
  }

  /** Sends a message if Redis is available. Resolves with false if the message is too long. Never rejects. */
  async #send(nodeId: string, message: NodeMessage): Promise<boolean> {
    const { link, logger } = this.#deps;
    try {
      await link.publish(link.keys.nodeChannel(nodeId), message);
      return true;
    } catch (error) {
      logger.debug({ nodeId, error: errorMessage(error) }, 'could not send a message to another node');
      return !(error instanceof MessageTooLongError);
    }
  }
}

function createRequestMessage(number: number, serverId: string, request: NodeRequest): NodeMessage {
  if (request.action === 'poll') return ['poll', number, serverId, request.reconnects];
  const { tool, args, caller } = request;
  return ['tool', number, serverId, tool, { ...args }, caller];
}

function isForwardedCode(code: SwarmlensError['code']): code is (typeof FORWARDED_CODES)[number] {
  return FORWARDED_CODES.some((forwarded) => forwarded === code);
}

function tooManyCallsError(serverId: string): SwarmlensError {
  const message = `Too many calls to server "${serverId}" on another node are pending. Retry after ${RETRY_AFTER_MS} ms, with fewer calls at a time.`;
  return new SwarmlensError('RATE_LIMITED', message, { serverId, retryAfterMs: RETRY_AFTER_MS });
}

/** Creates the error for a tool call between nodes that cannot authenticate each other. */
function noKeyError(serverId: string): SwarmlensError {
  const message = `Another node owns server "${serverId}", and tool calls between nodes need a shared key. Set "swarmlens.busKeys" on all nodes.`;
  return new SwarmlensError('FORBIDDEN', message, { serverId });
}

function tooLongError(serverId: string, part: 'arguments' | 'results'): SwarmlensError {
  const message = `The call of server "${serverId}" cannot pass between nodes: its ${part} exceed 1 MB. Send a smaller request.`;
  return new SwarmlensError('LIMIT_EXCEEDED', message, { serverId });
}

function unreachableError(serverId: string, reason: string): SwarmlensError {
  const message = `Cannot reach the node that owns server "${serverId}": ${reason}.`;
  return new SwarmlensError('SERVER_UNAVAILABLE', message, { serverId });
}
