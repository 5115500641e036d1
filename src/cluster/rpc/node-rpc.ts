import type { RedisConnection } from '../redis/redis-connection.js';
import { type Clock, errorMessage, scheduleDeadline, SwarmlensError, type Logger } from '../../shared/index.js';
import { FORWARDED_CODES, NODE_MESSAGE_VERSION, type NodeMessage } from './node-messages.js';
import { noOwnerError, type OwnershipCandidate } from '../ownership.js';

/** Request to a node about a server that it owns. */
export type NodeRequest =
  | { readonly action: 'poll'; readonly reconnects: boolean }
  | {
      readonly action: 'tool';
      readonly tool: string;
      readonly args: Readonly<Record<string, unknown>>;
      /** Client of the call, whose share of the server's slots counts on the owner too. */
      readonly clientId: string;
    };

export interface NodeRpcDeps {
  readonly link: RedisConnection;
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
   * @throws SwarmlensError the error of the other node; SERVER_UNAVAILABLE if it does not answer; RATE_LIMITED if too many
   *   calls of the client are pending
   * @throws the reason of `signal` if it is aborted
   */
  request(nodeId: string, serverId: string, request: NodeRequest, signal: AbortSignal): Promise<unknown> {
    const { link, clock } = this.#deps;
    if (signal.aborted) return Promise.reject(signal.reason as Error); // the caller aborts with an error
    if (link.failureReason !== null) return Promise.reject(unreachableError(serverId, link.failureReason));
    if (this.#pending.size >= MAX_PENDING_REQUESTS) {
      return Promise.reject(unreachableError(serverId, 'too many requests to other nodes are pending'));
    }
    const clientId = request.action === 'tool' ? request.clientId : null;
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
        this.#send(nodeId, [NODE_MESSAGE_VERSION, 'abort', link.nodeId, number]);
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
      const message = createRequestMessage(link.nodeId, number, serverId, request);
      link.publish(link.keys.nodeChannel(nodeId), message).catch((error: unknown) => {
        if (this.#pending.has(number)) rejectWith(unreachableError(serverId, errorMessage(error)));
      });
    });
  }

  /** Handles a message about requests. */
  receive(nodeMessage: Exclude<NodeMessage, [unknown, 'demand', ...unknown[]]>): void {
    switch (nodeMessage[1]) {
      case 'answer':
        return this.#pending.get(nodeMessage[2])?.resolveWith(nodeMessage[3]);
      case 'refusal': {
        const [, , number, code, message, details] = nodeMessage;
        return this.#pending
          .get(number)
          ?.rejectWith(code === null ? new Error(message) : new SwarmlensError(code, message, details));
      }
      case 'abort':
        return this.#inFlight.get(`${nodeMessage[2]} ${nodeMessage[3]}`)?.abort();
      case 'poll': {
        const [, , nodeId, number, serverId, reconnects] = nodeMessage;
        return void this.#answer(nodeId, number, serverId, { action: 'poll', reconnects });
      }
      case 'tool': {
        const [, , nodeId, number, serverId, tool, args, clientId] = nodeMessage;
        return void this.#answer(nodeId, number, serverId, { action: 'tool', tool, args, clientId });
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
      this.#send(nodeId, [NODE_MESSAGE_VERSION, 'answer', number, answer]);
    } catch (error) {
      this.#send(nodeId, this.#refusal(number, error));
    } finally {
      if (this.#inFlight.get(key) === abort) this.#inFlight.delete(key);
    }
  }

  async #execute(serverId: string, request: NodeRequest, signal: AbortSignal): Promise<unknown> {
    const claim = this.#deps.ownedServer(serverId);
    if (claim === null) throw noOwnerError(serverId);
    return request.action === 'poll'
      ? claim.poll(request.reconnects)
      : claim.callTool(request.tool, request.args, signal, request.clientId);
  }

  #refusal(number: number, error: unknown): NodeMessage {
    if (error instanceof SwarmlensError && isForwardedCode(error.code)) {
      return [NODE_MESSAGE_VERSION, 'refusal', number, error.code, error.message, { ...error.details }];
    }
    this.#deps.logger.error({ error: errorMessage(error) }, 'request of another node failed');
    return [NODE_MESSAGE_VERSION, 'refusal', number, null, 'the call failed on the node that owns the server', {}];
  }

  #send(nodeId: string, message: NodeMessage): void {
    const { link, logger } = this.#deps;
    link.publish(link.keys.nodeChannel(nodeId), message).catch((error: unknown) => {
      logger.debug({ nodeId, error: errorMessage(error) }, 'could not send a message to another node');
    });
  }
}

function createRequestMessage(nodeId: string, number: number, serverId: string, request: NodeRequest): NodeMessage {
  if (request.action === 'poll') return [NODE_MESSAGE_VERSION, 'poll', nodeId, number, serverId, request.reconnects];
  const { tool, args, clientId } = request;
  return [NODE_MESSAGE_VERSION, 'tool', nodeId, number, serverId, tool, { ...args }, clientId];
}

function isForwardedCode(code: SwarmlensError['code']): code is (typeof FORWARDED_CODES)[number] {
  return FORWARDED_CODES.some((forwarded) => forwarded === code);
}

function tooManyCallsError(serverId: string): SwarmlensError {
  const message = `Too many calls to server "${serverId}" on another node are pending. Retry after ${RETRY_AFTER_MS} ms, with fewer calls at a time.`;
  return new SwarmlensError('RATE_LIMITED', message, { serverId, retryAfterMs: RETRY_AFTER_MS });
}

function unreachableError(serverId: string, reason: string): SwarmlensError {
  const message = `Cannot reach the node that owns server "${serverId}": ${reason}.`;
  return new SwarmlensError('SERVER_UNAVAILABLE', message, { serverId });
}
