import type { Worker } from 'node:cluster';
import { HERE, STOP } from './seat.js';

/** Where a worker accepts connections; all workers of a program at the same place. */
export interface Place {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

export interface Ending {
  /** `null`: a signal ended it. */
  readonly code: number | null;
  /** For a person. */
  readonly how: string;
}

/** One worker, from its start to its end. */
export class WorkerRun {
  readonly pid: number | null;
  /** Resolves when it accepts connections; with `null` when it ends before. */
  readonly accepting: Promise<Place | null>;
  readonly ended: Promise<Ending>;
  readonly #worker: Worker;
  #isAsked = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.pid = worker.process.pid ?? null;
    this.ended = new Promise((resolve) => {
      worker.once('exit', (code, signal) => resolve(endingOf(code, signal)));
      // It could not be started, or not be told something: whether it is gone, its exit says, if there was a process.
      worker.on('error', (error) => {
        if (this.pid === null) resolve({ code: null, how: error.message });
      });
    });
    worker.on('message', (message) => {
      if (message === HERE && this.#isAsked) this.stop();
    });
    const listening = new Promise<Place>((resolve) => {
      worker.once('listening', ({ address, port }) => resolve({ address, port }));
    });
    this.accepting = Promise.race([listening, this.ended.then(() => null)]);
  }

  /** Asks it to let its clients go and to end. Not by a signal: it may have had one of its own, from the terminal. */
  stop(): void {
    this.#isAsked = true;
    if (this.#worker.isConnected()) this.#worker.send(STOP);
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }
}

/** Node types both as if they were always there. */
function endingOf(code: number | null, signal: string | null): Ending {
  if (signal != null && signal !== '') return { code: null, how: `signal ${signal}` };
  return { code, how: `exit code ${code ?? 'unknown'}` };
}
