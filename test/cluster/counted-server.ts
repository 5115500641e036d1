import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { closeServer, listenOnLoopback } from '../../src/shared/loopback-server.js';
import { runSimulator, type SimulatorOptions } from '../../src/simulator/index.js';
import { LIST_TOOLS, listedIn } from '../faults/own-lists.js';

/** Header with the name of the node that sends a request. */
export const NODE_HEADER = 'x-node';

const CALL = z.object({ method: z.literal('tools/call') });
const ANSWER = z.object({ content: z.array(z.object({ type: z.literal('text'), text: z.string() })) });

/** Simulated MCP server over HTTP in this process. Records the calling nodes and can be frozen. */
export class CountedServer implements AsyncDisposable {
  readonly id: string;
  readonly type: SimulatorOptions['type'];
  readonly url: string;
  /** Name of the calling node of each call, in order. */
  readonly callers: string[] = [];
  readonly #simulator: AsyncDisposable;
  readonly #front: Server;
  readonly #own: Client;
  readonly #clock: StoppableClock;

  private constructor(parts: {
    readonly id: string;
    readonly type: SimulatorOptions['type'];
    readonly simulator: AsyncDisposable;
    readonly own: Client;
    readonly clock: StoppableClock;
    readonly innerUrl: URL;
  }) {
    this.id = parts.id;
    this.type = parts.type;
    this.#simulator = parts.simulator;
    this.#own = parts.own;
    this.#clock = parts.clock;
    this.url = '';
    this.#front = createServer((incoming, response) => this.#pass(incoming, response, parts.innerUrl));
  }

  static async start(id: string, options: Pick<SimulatorOptions, 'type' | 'agents' | 'hz'>): Promise<CountedServer> {
    const clock = new StoppableClock();
    const simulator = await runSimulator(
      { ...options, seed: 1, transport: 'http', port: 0, clock },
      { stdin: process.stdin, stdout: process.stdout },
    );
    const innerUrl = new URL(simulator.url ?? '');
    const own = new Client({ name: 'test', version: '1' });
    await own.connect(new StreamableHTTPClientTransport(innerUrl));
    const server = new CountedServer({ id, type: options.type, simulator, own, clock, innerUrl });
    const port = await listenOnLoopback(server.#front, 0);
    return Object.assign(server, { url: `http://127.0.0.1:${port}${innerUrl.pathname}` });
  }

  /** Stops all changes of the simulation. */
  freeze(): void {
    this.#clock.stop();
  }

  /** Continues the simulation. */
  thaw(): void {
    this.#clock.resume();
  }

  /** Returns the sorted id and status of each agent, requested directly from the server. */
  async ownList(): Promise<readonly string[]> {
    const all: string[] = [];
    for (const name of LIST_TOOLS[this.type]) {
      const { content } = ANSWER.parse(await this.#own.callTool({ name, arguments: {} }));
      all.push(...listedIn(JSON.parse(content[0]?.text ?? 'null')));
    }
    // claude-flow lists some workers of its hive twice.
    return [...new Set(all)].map((agent) => `${this.id}:${agent}`).toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own.close();
    const end = closeServer(this.#front);
    this.#front.closeAllConnections();
    await end;
    await this.#simulator[Symbol.asyncDispose]();
  }

  #pass(incoming: IncomingMessage, response: ServerResponse, { hostname, port }: URL): void {
    const { method, url, headers } = incoming;
    const outgoing = request({
      hostname,
      port,
      method,
      path: url,
      headers: { ...headers, host: `${hostname}:${port}` },
    });
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      if (isCall(Buffer.concat(chunks).toString())) this.callers.push(String(headers[NODE_HEADER]));
    });
    incoming.pipe(outgoing);
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
  }
}

/** System clock whose scheduled callbacks can be held back. */
class StoppableClock implements Clock {
  readonly now = (): number => systemClock.now();
  readonly monotonic = (): number => systemClock.monotonic();
  /** Held callbacks. Null while the clock runs. */
  #held: (() => void)[] | null = null;

  schedule(delayMs: number, callback: () => void): Disposable {
    return systemClock.schedule(delayMs, () => {
      if (this.#held === null) callback();
      else this.#held.push(callback);
    });
  }

  stop(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const callback of held) callback();
  }
}

function isCall(body: string): boolean {
  return body !== '' && CALL.safeParse(JSON.parse(body)).success;
}
