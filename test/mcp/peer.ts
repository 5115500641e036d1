import type { EndpointConfig } from '../../src/mcp/index.js';

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
  #wake: () => void = () => undefined;

  /** Connections, or requests under way, that a client holds open. */
  abstract openCount(): number;

  /** The bytes of a message. */
  abstract encode(message: object): Buffer;

  abstract [Symbol.asyncDispose](): Promise<void>;

  /** The next call of a tool, in the order in which they came. */
  async nextCall(): Promise<Call> {
    for (;;) {
      const call = this.#calls.shift();
      if (call !== undefined) return call;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
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
    if (rpc.id === undefined) return;
    if (rpc.method === 'tools/call') {
      this.#calls.push({ rpc, line });
      this.#wake();
    } else if (!this.isMute) {
      const result = rpc.method === 'initialize' ? GREETING : rpc.method === 'tools/list' ? TOOLS : {};
      const { id } = rpc;
      line.write(this.encode({ jsonrpc: '2.0', id, result }), id).then(
        () => line.finish(id),
        () => undefined,
      );
    } else this.#wake();
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

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
