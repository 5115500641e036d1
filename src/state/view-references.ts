import { createHash } from 'node:crypto';
import type { View } from './view.js';

/** Length of a view's key up to which a cursor contains the view itself. */
const MAX_INLINE_LENGTH = 200;
/** Total length of the keys of the kept views. */
const MAX_TOTAL_LENGTH = 2_000_000;

const references = new WeakMap<View, string | null>();

/** Returns the text that stands for a long view in cursors, equal for equal views. Null if cursors contain the view itself. */
export function referenceOf(view: View): string | null {
  let reference = references.get(view);
  if (reference === undefined) {
    reference =
      view.key.length <= MAX_INLINE_LENGTH
        ? null
        : createHash('sha256').update(view.key).digest('base64url').slice(0, 22);
    references.set(view, reference);
  }
  return reference;
}

/**
 * Long views of recently issued cursors, by reference. Bounded: the least recently issued views are dropped first. A client
 * that resumes with the filters of its cursor does not need an entry.
 */
export class ViewReferences {
  readonly #views = new Map<string, View>();
  #totalLength = 0;

  /** Keeps a view if cursors refer to it. */
  add(view: View): void {
    const reference = referenceOf(view);
    if (reference === null) return;
    if (this.#views.delete(reference)) this.#totalLength -= view.key.length;
    this.#views.set(reference, view);
    this.#totalLength += view.key.length;
    for (const [oldest, { key }] of this.#views) {
      if (this.#totalLength <= MAX_TOTAL_LENGTH) return;
      this.#views.delete(oldest);
      this.#totalLength -= key.length;
    }
  }

  /** Returns the view of a reference: the requested view if the reference is its own. Null if it is unknown. */
  resolve(reference: string, requested: View): View | null {
    return referenceOf(requested) === reference ? requested : (this.#views.get(reference) ?? null);
  }
}
