import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ChangeNotifier } from '../support/wait.js';

/** The program that is a faulty server. */
const FAULTY = fileURLToPath(new URL('servers/faulty.js', import.meta.url));

/** How an incarnation of a faulty server lives. */
export interface Life {
  readonly type: 'claude-flow' | 'ruv-swarm' | 'daa';
  readonly agents: number;
  readonly seed: number;
  readonly hz: number;
  /** Of its wall clock against ours. */
  readonly clockOffsetMs: number;
  /** From its beginning. */
  readonly damage: Damage | null;
  /** It ends, with exit code 1, when it gets that call of a tool, or of any. */
  readonly exitOn: { readonly tool?: string; readonly count: number } | null;
}

export interface Damage {
  readonly kind:
    'silent' | 'late' | 'twice' | 'wrongId' | 'invalidJson' | 'halfLine' | 'idlessError' | 'padded' | 'drip';
  /** Only to answers of this tool. */
  readonly tool?: string;
  /** To so many answers. */
  readonly times?: number;
  /** Of `padded`. */
  readonly bytes?: number;
}

type Order =
  | { readonly do: 'damage'; readonly damage: Damage | null }
  | { readonly do: 'release' | 'freeze' | 'refuse' | 'accept' }
  | { readonly do: 'flood'; readonly count: number }
  | { readonly do: 'hangUp'; readonly on: string | null };

const TOLD = z.union([
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

/** One faulty server over all its incarnations, as the test sees it. */
export class FaultyServer {
  readonly name: string;
  /** Of the next incarnation. */
  life: Life;
  readonly #changes = new ChangeNotifier();
  /** The port of its front, when it has one: the same for all incarnations. */
  port = 0;
  /** Whether the front of the present incarnation listens. */
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

  /** For the command line of a Node.js. */
  get args(): readonly string[] {
    return [FAULTY, '--control', `${this.#controlPort}`, '--name', this.name];
  }

  get pids(): readonly number[] {
    return this.#incarnations.map(({ pid }) => pid);
  }

  get incarnations(): number {
    return this.#incarnations.length;
  }

  /** Calls of a tool that the present incarnation has got. */
  calls(tool: string): number {
    return this.#incarnations.at(-1)?.calls.get(tool) ?? 0;
  }

  /**
   * Resolves when the present incarnation, or one after it, has got `more` calls of a tool.
   * @param since so many it had before
   */
  async called(tool: string, more = 1, since = this.calls(tool)): Promise<void> {
    const incarnation = this.incarnations;
    await this.until(() => this.incarnations > incarnation || this.calls(tool) >= since + more);
  }

  /**
   * Resolves once `isReached` returns true, checked after each message of the server and after its end.
   * @param failure reason why that can no longer happen; `null` while it still can
   */
  until(isReached: () => boolean, failure: () => string | null = () => null): Promise<void> {
    return this.#changes.until(isReached, { state: () => this.#state(), failure });
  }

  /** The next incarnations are born, but do not answer until they are released. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    const held = this.#incarnations.at(-1);
    if (held !== undefined) this.#live(held);
  }

  /** Whether there is an incarnation that has not ended. */
  get isAlive(): boolean {
    return this.#incarnations.at(-1)?.hasEnded === false;
  }

  /** Nothing happens to one that has ended: its id may be another's by now. */
  kill(signal: NodeJS.Signals): void {
    if (this.isAlive) process.kill(this.#present().pid, signal);
  }

  /**
   * Does as told; resolves when it is done, with the calls of each tool that it had got by then.
   * @throws Error it ended before
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

  heard(words: unknown): void {
    const told = TOLD.parse(words);
    if ('call' in told) this.#present().calls.set(told.call, told.count);
    else {
      if (told.port !== undefined) {
        this.port = told.port;
        this.isListening = true;
      }
      const order = this.#orders.get(told.did);
      this.#orders.delete(told.did);
      if (told.error === undefined) order?.resolve(new Map(this.#present().calls));
      else order?.reject(new Error(`${this.name}: ${told.error}`));
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

  /** An incarnation that is killed before it lives does not matter. */
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
