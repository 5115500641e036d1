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

/** The environment variable that holds a worker's number, from 1 on. */
export const WORKER_NUMBER_ENV = 'SWARMLENS_WORKER';

/** More than the others may take for theirs: the process that keeps them is busy then, or stopped. */
const PATIENCE_MS = 2_000;

/** What a worker has of the program that it is one of; disposing of it lets the process end. */
export interface WorkerContext extends Disposable {
  /** From 1 on; whoever is started in its place has the same. */
  readonly number: number;
  /** Resolves when it is asked to stop. */
  readonly stopRequested: Promise<void>;
  /** Reports that each server has answered or failed once. */
  reportDiscovered(): void;
  /**
   * The metrics of all workers, each series with the label `worker`. From now on those of this one are read for the others too.
   * @param own of this one, by prom-client
   */
  aggregateMetrics(own: MetricsExporter, deps: { readonly clock: Clock; readonly logger: Logger }): MetricsExporter;
}

/** `null`: this process is no worker of ours. */
export function getWorkerContext(env: Readonly<Record<string, string | undefined>>): WorkerContext | null {
  const self = cluster.worker;
  const number = Number(env[WORKER_NUMBER_ENV]);
  if (self === undefined || !Number.isInteger(number) || number < 1) return null;
  const tell = (message: string): void => {
    // Who is told no more is gone, and this process with it.
    if (self.isConnected()) self.send(message, () => undefined);
  };
  const all = new CoalescedRequest(() => tell(ALL_METRICS_REQUEST));
  let tellOwn = (): void => tell(OWN_METRICS_REQUEST);
  const asked = new Promise<void>((resolve) => {
    process.on('message', (message) => {
      if (message === STOP_MESSAGE) resolve();
      else if (message === OWN_METRICS_REQUEST) tellOwn();
      else {
        const text = parseAnswer(message, ALL_METRICS_REQUEST);
        if (text !== null) all.answer(text);
      }
    });
    tell(READY_MESSAGE);
  });
  return {
    number,
    stopRequested: asked,
    reportDiscovered: () => tell(DISCOVERED_MESSAGE),
    aggregateMetrics(own, { clock, logger }) {
      tellOwn = () => {
        own.read().then(
          (text) => tell(OWN_METRICS_REQUEST + text),
          (error: unknown) => {
            logger.error({ error: errorMessage(error) }, 'metrics could not be read');
            tell(OWN_METRICS_REQUEST);
          },
        );
      };
      return {
        contentType: own.contentType,
        async read() {
          const text = await all.ask(clock, PATIENCE_MS);
          if (text !== null) return text;
          const message =
            'The process that keeps the workers does not answer: ask again, and see whether it is stopped.';
          throw new SwarmlensError('SERVER_UNAVAILABLE', message);
        },
      };
    },
    [Symbol.dispose]() {
      // Without it the process would be held by its connection to the other; dropping that alone would end it at once.
      if (self.isConnected()) self.disconnect();
    },
  };
}

/** What starts this program as a worker. All of them listen on one port, and node:cluster gives them the connections in turn. */
export function createFork(program: string, args: readonly string[]): WorkerPoolOptions['fork'] {
  cluster.setupPrimary({ exec: program, args: [...args] });
  return (number) => cluster.fork({ [WORKER_NUMBER_ENV]: String(number) });
}
