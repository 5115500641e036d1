import type { EndpointConfig } from '../../src/mcp/index.js';
import { ChangeNotifier } from '../support/wait.js';

export type Id = string | number;

/** A message of the client under test. */
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

/** A call of a tool that waits for the test to answer it. */
export interface Call {
  readonly rpc: Rpc;
  /** What it came over. */
  readonly line: Line;
}

/** The other side of one session, as raw as the transport allows. */
export interface Line {
  /**
   * Each call is a write, or a frame, of its own.
   * @param about the call that the bytes are an answer to: over HTTP that has a stream of its own
   */
  write(bytes: Buffer, about?: Id): Promise<void>;
  /** Says that the answer to a call is whole; only HTTP knows that. */
  finish(about: Id): void;
  /** As servers do with what is too old. */
  close(): void;
}

/** Something that sessions are opened to: greets them, and leaves calls of tools to the test. */
export abstract class Peer implements AsyncDisposable {
  abstract readonly endpoint: EndpointConfig;
  readonly received: Rpc[] = [];
  /** Whether it says anything at all. */
  isMute = false;
  readonly #calls: Call[] = [];
  readonly #changes = new ChangeNotifier();

  /** Connections, or requests under way, that a client holds open. */
  abstract openCount(): number;

  /** The bytes of a message. */
  abstract encode(message: object): Buffer;

  abstract [Symbol.asyncDispose](): Promise<void>;

  /** The next call of a tool, in the order in which they came. */
  async nextCall(): Promise<Call> {
    await this.until(() => this.#calls.length > 0);
    const call = this.#calls.shift();
    if (call === undefined) throw new Error('somebody else has taken the call');
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

  /** What came over a connection. */
  protected take(rpc: Rpc, line: Line): void {
    this.received.push(rpc);
    if (rpc.method === 'tools/call' && rpc.id !== undefined) this.#calls.push({ rpc, line });
    this.#changes.notify();
    if (rpc.id === undefined || rpc.method === 'tools/call') return;
    if (!this.isMute) {
      const result = rpc.method === 'initialize' ? GREETING : rpc.method === 'tools/list' ? TOOLS : {};
      const { id } = rpc;
      line.write(this.encode({ jsonrpc: '2.0', id, result }), id).then(
        () => line.finish(id),
        () => undefined,
      );
    }
  }

  /** Notes that a connection, or a request under way, has come or gone. */
  protected changed(): void {
    this.#changes.notify();
  }
}

const GREETING = {
  protocolVersion: '2025-03-26',
  capabilities: { tools: {} },
  serverInfo: { name: 'peer', version: '1' },
};
const TOOLS = { tools: [{ name: 'echo', description: 'says it again', inputSchema: { type: 'object' } }] };

/** What has been written and read has been seen by everybody in this process. */
export async function aTurn(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
