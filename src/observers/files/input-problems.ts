import type { InputProblem } from '../../observer-format/index.js';
import type { Logger } from '../../shared/index.js';

/** Kinds of input that cannot be read. Everything else is read all the same. */
export type InputProblemKind =
  /** Line that is no JSON. */
  | 'broken-line'
  /** Line above the maximum length, which is skipped. */
  | 'long-line'
  /** Document that is no JSON or has another shape. */
  | 'malformed-document'
  /** Event of a hook that is no JSON. */
  | 'malformed-event'
  /** Document above the maximum size. */
  | 'large-document'
  /** File that shrank or was replaced, and is read again from its beginning. */
  | 'replaced-file'
  | 'unreadable-file'
  | 'unreadable-directory'
  /** File of another user. */
  | 'foreign-file'
  /** Symbolic link that leaves the observed directory, or leads back to a directory that was read. */
  | 'unfollowed-link'
  /** Files above the maximum number. */
  | 'too-many-files'
  /** Files that claim the id of another file. */
  | 'colliding-id'
  /** Directory whose changes the system does not report. It is polled. */
  | 'unwatched-directory'
  /** Stored states that cannot be used. The files are read again. */
  | 'unusable-index';

/** Maximum number of files of one kind that are counted separately. */
const MAX_FILES = 10_000;

/** Kinds of which one file may contain many. */
const REPEATABLE: readonly InputProblemKind[] = ['broken-line', 'long-line', 'malformed-event', 'replaced-file'];

/** Counts inputs that cannot be read, and logs the first one of each kind. */
export class InputProblems {
  readonly #logger: Logger;
  readonly #counts = new Map<InputProblemKind, number>();
  readonly #files = new Map<InputProblemKind, Set<string>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Counts an input. A file that still has the same problem is not counted again.
   * @param file path of the file or directory, relative to the observed directory
   */
  record(kind: InputProblemKind, file: string): void {
    if (!REPEATABLE.includes(kind)) {
      const files = this.#files.get(kind) ?? new Set<string>();
      if (files.has(file) || files.size >= MAX_FILES) return;
      this.#files.set(kind, files.add(file));
    }
    this.set(kind, (this.#counts.get(kind) ?? 0) + 1, file);
  }

  /** Sets the number of inputs of a kind. */
  set(kind: InputProblemKind, count: number, file: string): void {
    if (count === 0) {
      this.#counts.delete(kind);
      return;
    }
    if (!this.#counts.has(kind)) {
      this.#logger.warn({ kind, file }, 'input cannot be read; more of this kind are counted only');
    }
    this.#counts.set(kind, count);
  }

  list(): readonly InputProblem[] {
    return [...this.#counts].map(([kind, count]) => ({ kind, count }));
  }
}
