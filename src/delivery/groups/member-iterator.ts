import type { CursorPosition } from '../../state/index.js';
import type { GroupMember, GroupMembership } from './subscription-group.js';

/**
 * Async iterator over the updates of one group member. Accepts an update only while `next()` is pending, so that a slow reader
 * receives one conflated update. Unlike an async generator it can be closed at any time.
 */
export class MemberIterator<T> implements GroupMember<T>, AsyncIterableIterator<T> {
  readonly after: CursorPosition | null;
  readonly #membership: GroupMembership;
  #pendingNext: {
    readonly value: Promise<IteratorResult<T>>;
    readonly resolve: (result: IteratorResult<T>) => void;
  } | null = null;
  #hasLeft = false;

  constructor(after: CursorPosition | null, join: (member: GroupMember<T>) => GroupMembership) {
    this.after = after;
    this.#membership = join(this);
  }

  canReceive(): boolean {
    return this.#pendingNext !== null;
  }

  deliver(rendered: T): void {
    const pending = this.#pendingNext;
    this.#pendingNext = null;
    pending?.resolve({ done: false, value: rendered });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#hasLeft) return Promise.resolve(END);
    if (this.#pendingNext !== null) return this.#pendingNext.value;
    let resolve: (result: IteratorResult<T>) => void = () => undefined;
    const value = new Promise<IteratorResult<T>>((resolvePromise) => (resolve = resolvePromise));
    this.#pendingNext = { value, resolve };
    this.#membership.notifyReady();
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
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#membership[Symbol.dispose]();
    this.#pendingNext?.resolve(END);
    this.#pendingNext = null;
  }
}

const END = { done: true, value: undefined } as const;
