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

/** Time in which a worker sends its metrics. */
const METRICS_TIMEOUT_MS = 1_000;

/** Address at which the workers accept connections, the same for all. */
export interface ListenAddress {
  /** IP address. */
  readonly address: string;
  readonly port: number;
}

export interface ExitStatus {
  /** Exit code. Null if the process was ended by a signal or not started. */
  readonly code: number | null;
  /** Description for a person, for example `exit code 1`. */
  readonly description: string;
}

/** One worker process as the primary sees it. */
export class WorkerProcess {
  readonly pid: number | null;
  /** Resolves with the address when the worker accepts connections, or with null if it exits before. */
  readonly ready: Promise<ListenAddress | null>;
  /** Resolves when each server of the worker has answered or failed once, or when the worker exits. */
  readonly discovered: Promise<void>;
  readonly exited: Promise<ExitStatus>;
  readonly #worker: Worker;
  readonly #metrics = new CoalescedRequest(() => this.#send(OWN_METRICS_REQUEST));
  #isAccepting = false;
  #isStopRequested = false;

  /** @param readAllMetrics reads the metrics of all workers when the worker requests them */
  constructor(worker: Worker, readAllMetrics: () => Promise<string>) {
    this.#worker = worker;
    this.pid = worker.process.pid ?? null;
    this.exited = new Promise((resolve) => {
      worker.once('exit', (code, signal) => {
        this.#isAccepting = false;
        this.#metrics.answer('');
        resolve(toExitStatus(code, signal));
      });
      // Emitted if the process could not be started or a message could not be sent. A started process emits `exit`.
      worker.on('error', (error) => {
        if (this.pid === null) resolve({ code: null, description: error.message });
      });
    });
    let handleDiscovered: () => void = () => undefined;
    const reported = new Promise<void>((resolve) => (handleDiscovered = resolve));
    this.discovered = Promise.race([reported, this.exited.then(() => undefined)]);
    worker.on('message', (message) => {
      if (message === DISCOVERED_MESSAGE) handleDiscovered();
      else if (message === READY_MESSAGE) {
        if (this.#isStopRequested) this.stop();
      } else if (message === ALL_METRICS_REQUEST) {
        readAllMetrics().then(
          (text) => this.#send(ALL_METRICS_REQUEST + text),
          () => this.#send(ALL_METRICS_REQUEST),
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

  /** Requests a graceful shutdown. Sends a message instead of a signal, which the terminal may have sent already. */
  stop(): void {
    this.#isStopRequested = true;
    this.#send(STOP_MESSAGE);
  }

  /**
   * Reads the metrics of the worker in the Prometheus format.
   * @returns null if the worker does not accept connections, fails to read them, or does not answer within one second
   */
  metrics(clock: Clock): Promise<string | null> {
    return this.#isAccepting ? this.#metrics.request(clock, METRICS_TIMEOUT_MS) : Promise.resolve(null);
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  #send(message: string): void {
    // A disconnected worker is about to exit, which `exit` reports.
    if (this.#worker.isConnected()) this.#worker.send(message, () => undefined);
  }
}

/** Converts the arguments of `exit`, which may both be missing contrary to their types. */
function toExitStatus(code: number | null, signal: string | null): ExitStatus {
  if (signal != null && signal !== '') return { code: null, description: `signal ${signal}` };
  return { code, description: `exit code ${code ?? 'unknown'}` };
}
