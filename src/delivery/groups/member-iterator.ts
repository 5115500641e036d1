import type { CursorPosition } from '../../state/index.js';
import type { GroupMember, GroupMembership } from './subscription-group.js';

/**
 * A member of a group that is read as an async iterator. It has room while somebody waits for its next value, so
 * whoever reads slowly finds one conflated update. Unlike an async generator it can be left at any moment.
 */
export class MemberIterator<T> implements GroupMember<T>, AsyncIterableIterator<T> {
  readonly after: CursorPosition | null;
  readonly #seat: GroupMembership;
  #waiters: {
    readonly value: Promise<IteratorResult<T>>;
    readonly resolve: (result: IteratorResult<T>) => void;
  } | null = null;
  #left = false;

  constructor(after: CursorPosition | null, join: (member: GroupMember<T>) => GroupMembership) {
    this.after = after;
    this.#seat = join(this);
  }

  canReceive(): boolean {
    return this.#waiters !== null;
  }

  deliver(rendered: T): void {
    const waiting = this.#waiters;
    this.#waiters = null;
    waiting?.resolve({ done: false, value: rendered });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#left) return Promise.resolve(END);
    if (this.#waiters !== null) return this.#waiters.value;
    let resolve: (result: IteratorResult<T>) => void = () => undefined;
    const value = new Promise<IteratorResult<T>>((resolvePromise) => (resolve = resolvePromise));
    this.#waiters = { value, resolve };
    this.#seat.notifyReady();
    return value;
  }

  return(): Promise<IteratorResult<T>> {
    this.#detach();
    return Promise.resolve(END);
  }

  throw(error: unknown): Promise<IteratorResult<T>> {
    this.#detach();
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }

  #detach(): void {
    if (this.#left) return;
    this.#left = true;
    this.#seat[Symbol.dispose]();
    this.#waiters?.resolve(END);
    this.#waiters = null;
  }
}

const END = { done: true, value: undefined } as const;
