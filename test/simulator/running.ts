import { PassThrough } from 'node:stream';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { runSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/simulator/index.js';
import { ManualClock } from '../support/manual-clock.js';

export const HZ = 10;
export const STEP_MS = 1000 / HZ;

export interface Running extends AsyncDisposable {
  readonly simulator: RunningSimulator;
  readonly clock: ManualClock;
  readonly url: string;
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
}

export async function run(options: Partial<SimulatorOptions>): Promise<Running> {
  const clock = new ManualClock();
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const simulator = await runSimulator(
    { type: 'claude-flow', agents: 20, seed: 1, hz: HZ, transport: 'stdio', port: 0, clock, ...options },
    { stdin, stdout },
  );
  const url = simulator.url ?? '';
  return { simulator, clock, url, stdin, stdout, [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose]() };
}

export interface Connected extends AsyncDisposable {
  readonly client: Client;
  /** Calls a tool and returns the parsed result. */
  ask(tool: string, args?: Record<string, unknown>): Promise<unknown>;
}

export async function connect(url: string): Promise<Connected> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  return {
    client,
    ask: async (tool, args = {}) => textOf(await client.callTool({ name: tool, arguments: args })),
    [Symbol.asyncDispose]: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

function textOf({ content }: { readonly content?: unknown }): unknown {
  const [first] = content as { text: string }[]; // a simulator answers with one block of text
  return JSON.parse(first?.text ?? 'null');
}

/** Formats a JSON-RPC message as a line. */
export function line(id: number | null, method: string, params: object = {}): string {
  return `${JSON.stringify({ jsonrpc: '2.0', ...(id === null ? {} : { id }), method, params })}\n`;
}

export const INITIALIZE = line(1, 'initialize', {
  protocolVersion: '2024-11-05',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
});

export function callLine(id: number, tool: string, args: object = {}): string {
  return line(id, 'tools/call', { name: tool, arguments: args });
}

export interface Reply {
  readonly id: number;
  readonly result?: { readonly serverInfo?: { readonly name: string }; readonly content?: { text: string }[] };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Reads JSON lines from a stream, one at a time. */
export class Replies {
  readonly #chunks: AsyncIterator<Buffer, undefined>;
  #text = '';

  constructor(stream: NodeJS.ReadableStream) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>; // no encoding is set
  }

  /** Returns the next message. Null if the stream has ended. */
  async next(): Promise<Reply | null> {
    for (;;) {
      const end = this.#text.indexOf('\n');
      if (end >= 0) {
        const reply = JSON.parse(this.#text.slice(0, end)) as Reply; // what the tests expect
        this.#text = this.#text.slice(end + 1);
        return reply;
      }
      const { value } = await this.#chunks.next();
      if (value === undefined) return null;
      this.#text += value.toString('utf8');
    }
  }
}
