import cluster from 'node:cluster';
import { type Clock, errorMessage, type MetricsExporter, SwarmlensError, type Logger } from '../../shared/index.js';
import {
  ALL_METRICS_REQUEST,
  DISCOVERED_MESSAGE,
  OWN_METRICS_REQUEST,
  parseAnswer,
  READY_MESSAGE,
  STOP_MESSAGE,
} from './messages.js';
import { CoalescedRequest } from './coalesced-request.js';
import type { WorkerPoolOptions } from './worker-pool.js';

/** Environment variable with the number of a worker, from 1. */
export const WORKER_NUMBER_ENV = 'SWARMLENS_WORKER';

/** Time in which the primary answers. Longer than the time that it gives the other workers. */
const ANSWER_TIMEOUT_MS = 2_000;

/** Connection of a worker to the primary. Disposing it lets the process exit. */
export interface WorkerContext extends Disposable {
  /** Number of the worker, from 1. A replacement has the same number. */
  readonly number: number;
  /** Resolves when the primary requests a shutdown. */
  readonly stopRequested: Promise<void>;
  /** Reports that each server has answered or failed once. */
  reportDiscovered(): void;
  /**
   * Returns an exporter of the metrics of all workers, each series with the label `worker`. From this call on, the metrics
   * of this worker are available to the others.
   * @param local exporter of this worker's metrics
   */
  aggregateMetrics(local: MetricsExporter, deps: { readonly clock: Clock; readonly logger: Logger }): MetricsExporter;
}

/** Returns the context of this worker, or null if the process is not a worker. */
export function getWorkerContext(env: Readonly<Record<string, string | undefined>>): WorkerContext | null {
  const self = cluster.worker;
  const number = Number(env[WORKER_NUMBER_ENV]);
  if (self === undefined || !Number.isInteger(number) || number < 1) return null;
  const send = (message: string): void => {
    // Without a connection the primary is gone, and node:cluster ends this process.
    if (self.isConnected()) self.send(message, () => undefined);
  };
  const allMetrics = new CoalescedRequest(() => send(ALL_METRICS_REQUEST));
  let sendLocalMetrics = (): void => send(OWN_METRICS_REQUEST);
  const stopRequested = new Promise<void>((resolve) => {
    process.on('message', (message) => {
      if (message === STOP_MESSAGE) resolve();
      else if (message === OWN_METRICS_REQUEST) sendLocalMetrics();
      else {
        const text = parseAnswer(message, ALL_METRICS_REQUEST);
        if (text !== null) allMetrics.answer(text);
      }
    });
    send(READY_MESSAGE);
  });
  return {
    number,
    stopRequested,
    reportDiscovered: () => send(DISCOVERED_MESSAGE),
    aggregateMetrics(local, { clock, logger }) {
      sendLocalMetrics = () => {
        local.read().then(
          (text) => send(OWN_METRICS_REQUEST + text),
          (error: unknown) => {
            logger.error({ error: errorMessage(error) }, 'reading metrics failed');
            send(OWN_METRICS_REQUEST);
          },
        );
      };
      return {
        contentType: local.contentType,
        async read() {
          const text = await allMetrics.request(clock, ANSWER_TIMEOUT_MS);
          if (text !== null) return text;
          const message = 'The primary process does not answer. Retry, and check whether it is suspended.';
          throw new SwarmlensError('SERVER_UNAVAILABLE', message);
        },
      };
    },
    [Symbol.dispose]() {
      // The connection to the primary keeps the process alive.
      if (self.isConnected()) self.disconnect();
    },
  };
}

/** Returns a function that starts this program as a worker. All workers share one port; node:cluster distributes connections. */
export function createFork(program: string, args: readonly string[]): WorkerPoolOptions['fork'] {
  cluster.setupPrimary({ exec: program, args: [...args] });
  return (number) => cluster.fork({ [WORKER_NUMBER_ENV]: String(number) });
}
