import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ChangeNotifier } from '../support/wait.js';

/** Path of the program that runs as a faulty server. */
const FAULTY = fileURLToPath(new URL('servers/faulty.js', import.meta.url));

/** Options of one incarnation of a faulty server. */
export interface Life {
  readonly type: 'claude-flow' | 'ruv-swarm' | 'daa';
  readonly agents: number;
  readonly seed: number;
  readonly hz: number;
  /** Offset of its wall clock in milliseconds. */
  readonly clockOffsetMs: number;
  /** Damage from the start. */
  readonly damage: Damage | null;
  /** Exits with code 1 at this call of the tool, or of any tool if no tool is given. */
  readonly exitOn: { readonly tool?: string; readonly count: number } | null;
}

export interface Damage {
  readonly kind:
    'silent' | 'late' | 'twice' | 'wrongId' | 'invalidJson' | 'halfLine' | 'idlessError' | 'padded' | 'drip';
  /** Tool whose responses are damaged. @default all tools */
  readonly tool?: string;
  /** Number of damaged responses. @default all responses */
  readonly times?: number;
  /** Size in bytes of the padding of kind `padded`. */
  readonly bytes?: number;
}

type Order =
  | { readonly do: 'damage'; readonly damage: Damage | null }
  | { readonly do: 'release' | 'freeze' | 'refuse' | 'accept' }
  | { readonly do: 'flood'; readonly count: number }
  | { readonly do: 'hangUp'; readonly on: string | null };

const MESSAGE = z.union([
  z.object({ call: z.string(), count: z.int() }),
  z.object({ did: z.int(), error: z.string().optional(), port: z.int().optional() }),
]);

const USUAL_LIFE: Life = { type: 'daa', agents: 6, seed: 1, hz: 20, clockOffsetMs: 0, damage: null, exitOn: null };

type Calls = ReadonlyMap<string, number>;

interface Incarnation {
  readonly pid: number;
  readonly socket: Socket;
  readonly calls: Map<string, number>;
  hasEnded: boolean;
}

/** Controls one faulty server across all its incarnations. */
export class FaultyServer {
  readonly name: string;
  /** Options of the next incarnation. */
  life: Life;
  readonly #changes = new ChangeNotifier();
  /** Port of the front, equal for all incarnations. 0 without a front. */
  port = 0;
  /** Whether the front of the current incarnation listens. */
  isListening = false;
  readonly #controlPort: number;
  readonly #incarnations: Incarnation[] = [];
  readonly #orders = new Map<number, { resolve: (calls: Calls) => void; reject: (error: Error) => void }>();
  #orderNumber = 0;
  #isHeld = false;

  constructor(name: string, controlPort: number, life: Partial<Life>) {
    this.name = name;
    this.#controlPort = controlPort;
    this.life = { ...USUAL_LIFE, ...life };
  }

  /** Arguments for a Node.js command line. */
  get args(): readonly string[] {
    return [FAULTY, '--control', `${this.#controlPort}`, '--name', this.name];
  }

  get pids(): readonly number[] {
    return this.#incarnations.map(({ pid }) => pid);
  }

  get incarnations(): number {
    return this.#incarnations.length;
  }

  /** Returns the number of calls of a tool that the current incarnation has received. */
  calls(tool: string): number {
    return this.#incarnations.at(-1)?.calls.get(tool) ?? 0;
  }

  /**
   * Resolves when the current incarnation has received `more` calls of a tool, or when a later one has started.
   * @param since number of earlier calls
   */
  async called(tool: string, more = 1, since = this.calls(tool)): Promise<void> {
    const incarnation = this.incarnations;
    await this.until(() => this.incarnations > incarnation || this.calls(tool) >= since + more);
  }

  /**
   * Resolves when `isReached` returns true, checked after each message of the server and after its exit.
   * @param failure returns why the condition can no longer hold, or null
   */
  until(isReached: () => boolean, failure: () => string | null = () => null): Promise<void> {
    return this.#changes.until(isReached, { state: () => this.#state(), failure });
  }

  /** Makes the next incarnations wait with all responses until `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    const held = this.#incarnations.at(-1);
    if (held !== undefined) this.#live(held);
  }

  /** Whether the current incarnation is running. */
  get isAlive(): boolean {
    return this.#incarnations.at(-1)?.hasEnded === false;
  }

  /** Sends a signal. Does nothing after the exit, because the process id may belong to another process. */
  kill(signal: NodeJS.Signals): void {
    if (this.isAlive) process.kill(this.#present().pid, signal);
  }

  /**
   * Executes an order. Resolves with the number of calls of each tool received until then.
   * @throws Error if the server exits first
   */
  order(order: Order): Promise<Calls> {
    return this.#say({ ...order });
  }

  born(pid: number, socket: Socket): void {
    const incarnation = { pid, socket, calls: new Map<string, number>(), hasEnded: false };
    socket.once('close', () => this.#ended(incarnation));
    this.#incarnations.push(incarnation);
    this.isListening = false;
    if (!this.#isHeld) this.#live(incarnation);
    this.#changes.notify();
  }

  receive(data: unknown): void {
    const message = MESSAGE.parse(data);
    if ('call' in message) this.#present().calls.set(message.call, message.count);
    else {
      if (message.port !== undefined) {
        this.port = message.port;
        this.isListening = true;
      }
      const order = this.#orders.get(message.did);
      this.#orders.delete(message.did);
      if (message.error === undefined) order?.resolve(new Map(this.#present().calls));
      else order?.reject(new Error(`${this.name}: ${message.error}`));
    }
    this.#changes.notify();
  }

  #state(): unknown {
    const { name, incarnations, isAlive, isListening } = this;
    return { name, incarnations, isAlive, isListening, calls: this.#incarnations.at(-1)?.calls };
  }

  #ended(incarnation: Incarnation): void {
    incarnation.hasEnded = true;
    if (incarnation === this.#incarnations.at(-1)) {
      for (const { reject } of this.#orders.values()) reject(new Error(`${this.name} has ended`));
      this.#orders.clear();
    }
    this.#changes.notify();
  }

  /** Sends the options. Ignores failures, because a killed incarnation needs none. */
  #live(incarnation: Incarnation): void {
    if (incarnation === this.#incarnations.at(-1))
      this.#say({ do: 'live', ...this.life, port: this.port }).catch(() => undefined);
  }

  #say(order: Record<string, unknown>): Promise<Calls> {
    if (!this.isAlive) return Promise.reject(new Error(`${this.name} does not live`));
    const number = (this.#orderNumber += 1);
    this.#present().socket.write(`${JSON.stringify({ ...order, number })}\n`);
    return new Promise((resolve, reject) => this.#orders.set(number, { resolve, reject }));
  }

  #present(): Incarnation {
    const present = this.#incarnations.at(-1);
    if (present === undefined) throw new Error(`${this.name} was never born`);
    return present;
  }
}
