import type { Readable, Writable } from 'node:stream';

/** Options of a `StreamRelay`. */
export interface StreamRelayOptions {
  readonly from: Readable;
  readonly to: Writable;
  /** Passes a chunk on. Must not throw. */
  readonly onChunk: (chunk: Buffer) => void;
  /** Called when the source has ended. */
  readonly onEnd: () => void;
}

/**
 * Relays one direction between two programs transparently. Reads only as fast as the target accepts, forwards the end of
 * the source, and closes the source when the target closes.
 */
export class StreamRelay {
  readonly #to: Writable;
  #hasEnded = false;

  constructor({ from, to, onChunk, onEnd }: StreamRelayOptions) {
    this.#to = to;
    const end = (): void => {
      if (this.#hasEnded) return;
      this.#hasEnded = true;
      onEnd();
      to.end();
    };
    from.on('data', (chunk: Buffer) => {
      onChunk(chunk);
      if (to.writableNeedDrain) from.pause();
    });
    to.on('drain', () => from.resume());
    from.once('end', end);
    // For the target, a failed or destroyed source is an end.
    from.once('close', end);
    from.on('error', () => undefined);
    to.on('error', () => undefined);
    to.once('close', () => {
      this.#hasEnded = true;
      from.destroy();
    });
  }

  /** Whether the target is open and has no backlog. */
  get canWrite(): boolean {
    return !this.#hasEnded && this.#to.writable && !this.#to.writableNeedDrain;
  }

  write(bytes: Buffer | string): void {
    if (this.#to.writable) this.#to.write(bytes);
  }
}
