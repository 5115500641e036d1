import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { closeServer, listenOnLoopback } from '../../../src/shared/index.js';
import { AnswerGates } from './answer-gates.js';

/** Tool call or text of an answer. */
export type Block =
  { readonly text: string } | { readonly tool: string; readonly input: Readonly<Record<string, unknown>> };

/** One answer of the model. `hold` names the gate that holds it. `error` is a code that is sent instead of the blocks. */
export interface Answer {
  readonly blocks: readonly Block[];
  readonly hold?: string;
  readonly error?: string;
}

/** Answers to the prompts that contain a marker, in order. */
export type Script = Readonly<Record<string, readonly Answer[]>>;

/** Tokens of each answer. */
export const ANSWER_TOKENS = { input: 100, cached: 10, output: 30 } as const;

const DEFAULT_ANSWER: Answer = { blocks: [{ text: 'Done.' }] };

/** HTTP server on loopback that plays a model with scripted answers. Subclasses know the protocol. */
export abstract class ScriptedModel implements AsyncDisposable {
  readonly gates = new AnswerGates();
  /** Requests that were answered, by the marker of their prompt. */
  readonly answered = new Map<string, number>();
  readonly #script: Script;
  readonly #server: Server;
  #port = 0;
  #ids = 0;

  constructor(script: Script) {
    this.#script = script;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  async listen(): Promise<this> {
    this.#port = await listenOnLoopback(this.#server, 0);
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Returns a different id for each call. */
  protected nextId(prefix: string): string {
    this.#ids += 1;
    return `${prefix}_${this.#ids}`;
  }

  /** Returns the answer at a position after the prompt with a marker, once it is released. */
  protected async answer(marker: string | null, position: number): Promise<Answer> {
    const answer = (marker === null ? undefined : this.#script[marker]?.[position]) ?? DEFAULT_ANSWER;
    if (answer.hold !== undefined) await this.gates.pass(answer.hold);
    if (marker !== null) this.answered.set(marker, (this.answered.get(marker) ?? 0) + 1);
    return answer;
  }

  /** Returns the marker in a prompt. Null if there is none. */
  protected findMarker(prompt: string): string | null {
    return Object.keys(this.#script).find((marker) => prompt.includes(marker)) ?? null;
  }

  /** Answers a request with a JSON body. */
  protected abstract respond(path: string, body: unknown, response: ServerResponse): Promise<void>;

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer); // without an encoding, chunks are buffers
    const text = Buffer.concat(chunks).toString();
    await this.respond(request.url ?? '', text === '' ? null : JSON.parse(text), response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gates[Symbol.dispose]();
    const closed = closeServer(this.#server);
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Sends a server-sent event. */
export function sendEvent(response: ServerResponse, type: string, data: Readonly<Record<string, unknown>>): void {
  response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
}

export function sendJson(response: ServerResponse, status: number, data: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(data));
}
