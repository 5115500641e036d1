import type { Readable, Writable } from 'node:stream';

export interface StreamRelayOptions {
  readonly from: Readable;
  readonly to: Writable;
  /** Writes what is to be passed on; never throws. */
  readonly onChunk: (chunk: Buffer) => void;
  /** No more comes. */
  readonly onEnd: () => void;
}

/**
 * One direction between two programs that must not notice us: what cannot be written is not read, the end of the one is the
 * end of the other, and who writes to somebody that no longer reads is told so.
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
    // Reading has failed, or was stopped by us: for the reader on the other side that is an end.
    from.once('close', end);
    from.on('error', () => undefined);
    to.on('error', () => undefined);
    to.once('close', () => {
      this.#hasEnded = true;
      from.destroy();
    });
  }

  /** Whether there is anyone to write to, and room. */
  get canWrite(): boolean {
    return !this.#hasEnded && this.#to.writable && !this.#to.writableNeedDrain;
  }

  write(bytes: Buffer | string): void {
    if (this.#to.writable) this.#to.write(bytes);
  }
}
