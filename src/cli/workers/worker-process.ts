import type { Worker } from 'node:cluster';
import type { Clock } from '../../shared/index.js';
import {
  ALL_METRICS_REQUEST,
  DISCOVERED_MESSAGE,
  parseAnswer,
  READY_MESSAGE,
  OWN_METRICS_REQUEST,
  STOP_MESSAGE,
} from './messages.js';
import { CoalescedRequest } from './coalesced-request.js';

/** What a worker may take to tell its metrics. */
const METRICS_MS = 1_000;

/** Where a worker accepts connections; all workers of a program at the same place. */
export interface ListenAddress {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

export interface ExitStatus {
  /** `null`: a signal ended it. */
  readonly code: number | null;
  /** For a person. */
  readonly how: string;
}

/** One worker, from its start to its end. */
export class WorkerProcess {
  readonly pid: number | null;
  /** Resolves when it accepts connections; with `null` when it ends before. */
  readonly ready: Promise<ListenAddress | null>;
  /** Resolves when each server of the worker has answered or failed once, or when the worker exits. */
  readonly discovered: Promise<void>;
  readonly exited: Promise<ExitStatus>;
  readonly #worker: Worker;
  readonly #metrics = new CoalescedRequest(() => this.#tell(OWN_METRICS_REQUEST));
  #isAccepting = false;
  #isAsked = false;

  /** @param metricsOfAll what it gets when it asks for those of all workers */
  constructor(worker: Worker, metricsOfAll: () => Promise<string>) {
    this.#worker = worker;
    this.pid = worker.process.pid ?? null;
    this.exited = new Promise((resolve) => {
      worker.once('exit', (code, signal) => {
        this.#isAccepting = false;
        this.#metrics.answer('');
        resolve(endingOf(code, signal));
      });
      // It could not be started, or not be told something: whether it is gone, its exit says, if there was a process.
      worker.on('error', (error) => {
        if (this.pid === null) resolve({ code: null, how: error.message });
      });
    });
    let handleDiscovered: () => void = () => undefined;
    const reported = new Promise<void>((resolve) => (handleDiscovered = resolve));
    this.discovered = Promise.race([reported, this.exited.then(() => undefined)]);
    worker.on('message', (message) => {
      if (message === DISCOVERED_MESSAGE) handleDiscovered();
      else if (message === READY_MESSAGE) {
        if (this.#isAsked) this.stop();
      } else if (message === ALL_METRICS_REQUEST) {
        metricsOfAll().then(
          (text) => this.#tell(ALL_METRICS_REQUEST + text),
          () => this.#tell(ALL_METRICS_REQUEST),
        );
      } else {
        const text = parseAnswer(message, OWN_METRICS_REQUEST);
        if (text !== null) this.#metrics.answer(text);
      }
    });
    const listening = new Promise<ListenAddress>((resolve) => {
      worker.once('listening', ({ address, port }) => {
        this.#isAccepting = true;
        resolve({ address, port });
      });
    });
    this.ready = Promise.race([listening, this.exited.then(() => null)]);
  }

  /** Asks it to let its clients go and to end. Not by a signal: it may have had one of its own, from the terminal. */
  stop(): void {
    this.#isAsked = true;
    this.#tell(STOP_MESSAGE);
  }

  /** In Prometheus' format; `null`: it does not accept connections, cannot tell, or has not within a second. */
  metrics(clock: Clock): Promise<string | null> {
    return this.#isAccepting ? this.#metrics.ask(clock, METRICS_MS) : Promise.resolve(null);
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  #tell(message: string): void {
    // Who cannot be told anything is about to end, which is seen.
    if (this.#worker.isConnected()) this.#worker.send(message, () => undefined);
  }
}

/** Node types both as if they were always there. */
function endingOf(code: number | null, signal: string | null): ExitStatus {
  if (signal != null && signal !== '') return { code: null, how: `signal ${signal}` };
  return { code, how: `exit code ${code ?? 'unknown'}` };
}
