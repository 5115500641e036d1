import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SendBuffer } from './send-buffer.js';

/** Operation that may continue over several turns of the event loop. */
export interface SlicedOperation {
  /** Whether the operation has work left for a later turn. */
  readonly isSlicing: boolean;
}

/**
 * Starts the queries and mutations of one WebSocket one after the other, and only while the client reads. The next
 * operation starts when the previous one is answered or waits for something else, so that at most one answer that the
 * client has not read yet is in memory.
 */
export class OperationTurns {
  readonly #sendBuffer: Pick<SendBuffer, 'drained'>;
  #last: Promise<void> = Promise.resolve();

  constructor(sendBuffer: Pick<SendBuffer, 'drained'>) {
    this.#sendBuffer = sendBuffer;
  }

  /**
   * Runs an operation when its turn comes.
   * @param isWanted returns whether the client still waits for the answer
   * @returns result of the operation, or null if the client does not wait any more
   */
  run<T>(operation: SlicedOperation, isWanted: () => boolean, start: () => T | PromiseLike<T>): Promise<T | null> {
    const result = this.#last.then(async () => {
      await this.#sendBuffer.drained();
      return isWanted() ? { promise: Promise.resolve(start()) } : null;
    });
    this.#last = result.then(
      async (started) => {
        if (started === null) return;
        const progress = { isSettled: false };
        const settle = (): void => {
          progress.isSettled = true;
        };
        started.promise.then(settle, settle);
        // The answer is written before the next turn.
        do await nextTurn();
        while (!progress.isSettled && operation.isSlicing);
      },
      () => undefined,
    );
    return result.then((started) => started?.promise ?? null);
  }
}
