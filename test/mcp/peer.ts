import type { EndpointConfig } from '../../src/mcp/index.js';
import { ChangeNotifier } from '../support/wait.js';

export type Id = string | number;

/** Message of the client under test. */
export interface Rpc {
  readonly id?: Id;
  readonly method: string;
  readonly params?: {
    readonly name?: string;
    readonly arguments?: unknown;
    readonly requestId?: unknown;
    readonly _meta?: unknown;
  };
}

/** Tool call that waits for the test to answer it. */
export interface Call {
  readonly rpc: Rpc;
  /** Connection that the call arrived on. */
  readonly line: Line;
}

/** Connection of one session on the side of the server, as raw as the transport allows. */
export interface Line {
  /**
   * Sends bytes as one write or one frame.
   * @param about id of the call that the bytes answer; HTTP has one stream for each call
   */
  write(bytes: Buffer, about?: Id): Promise<void>;
  /** Marks the answer to a call as complete. Has an effect over HTTP only. */
  finish(about: Id): void;
  /** Closes the connection as servers close old connections. */
  close(): void;
}

/** MCP server that answers the handshake and leaves tool calls to the test. */
export abstract class Peer implements AsyncDisposable {
  abstract readonly endpoint: EndpointConfig;
  readonly received: Rpc[] = [];
  /** Whether the peer answers nothing. */
  isMute = false;
  readonly #calls: Call[] = [];
  readonly #changes = new ChangeNotifier();

  /** Returns the number of connections or requests that clients hold open. */
  abstract openCount(): number;

  /** Returns the bytes of a message. */
  abstract encode(message: object): Buffer;

  abstract [Symbol.asyncDispose](): Promise<void>;

  /** Resolves with the next tool call, in order of arrival. */
  async nextCall(): Promise<Call> {
    await this.until(() => this.#calls.length > 0);
    const call = this.#calls.shift();
    if (call === undefined) throw new Error('another caller has taken the call');
    return call;
  }

  /** Resolves once `isReached` returns true, checked after each message and each change of the connections. */
  async until(isReached: () => boolean): Promise<void> {
    await this.#changes.until(isReached, {
      state: () => ({
        received: this.received.map(({ id, method }) => ({ id, method })),
        waitingCalls: this.#calls.length,
        open: this.openCount(),
      }),
    });
  }

  answerTo(rpc: Rpc, value: unknown = rpc.params?.arguments): Buffer {
    const result = { content: [{ type: 'text', text: JSON.stringify(value ?? null) }] };
    return this.encode({ jsonrpc: '2.0', id: rpc.id, result });
  }

  async answer({ rpc, line }: Call, value?: unknown): Promise<void> {
    await line.write(this.answerTo(rpc, value), rpc.id);
    line.finish(rpc.id ?? '');
  }

  /** Handles a message that arrived on a connection. */
  protected take(rpc: Rpc, line: Line): void {
    this.received.push(rpc);
    if (rpc.method === 'tools/call' && rpc.id !== undefined) this.#calls.push({ rpc, line });
    this.#changes.notify();
    if (rpc.id === undefined || rpc.method === 'tools/call') return;
    if (!this.isMute) {
      const result = rpc.method === 'initialize' ? INITIALIZE_RESULT : rpc.method === 'tools/list' ? TOOLS : {};
      const { id } = rpc;
      line.write(this.encode({ jsonrpc: '2.0', id, result }), id).then(
        () => line.finish(id),
        () => undefined,
      );
    }
  }

  /** Records that a connection or request was opened or closed. */
  protected changed(): void {
    this.#changes.notify();
  }
}

const INITIALIZE_RESULT = {
  protocolVersion: '2025-03-26',
  capabilities: { tools: {} },
  serverInfo: { name: 'peer', version: '1' },
};
const TOOLS = { tools: [{ name: 'echo', description: 'says it again', inputSchema: { type: 'object' } }] };

/** Waits for three turns of the event loop, so that pending reads and writes in this process are handled. */
export async function aTurn(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
