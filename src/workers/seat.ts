import cluster from 'node:cluster';
import { type Clock, messageOf, SwarmlensError } from '../shared/index.js';
import type { Logger, MetricsPage } from '../telemetry/index.js';
import { ALL_METRICS, answerIn, HERE, OWN_METRICS, STOP } from './messages.js';
import { Question } from './question.js';

/** The environment variable that holds a worker's number, from 1 on. */
export const WORKER_NUMBER = 'SWARMLENS_WORKER';

/** More than the others may take for theirs: the process that keeps them is busy then, or stopped. */
const PATIENCE_MS = 2_000;

/** What a worker has of the program that it is one of; disposing of it lets the process end. */
export interface Seat extends Disposable {
  /** From 1 on; whoever is started in its place has the same. */
  readonly number: number;
  /** Resolves when it is asked to stop. */
  readonly asked: Promise<void>;
  /**
   * The metrics of all workers, each series with the label `worker`. From now on those of this one are read for the others too.
   * @param own of this one, by prom-client
   */
  metricsOfAll(own: MetricsPage, deps: { readonly clock: Clock; readonly logger: Logger }): MetricsPage;
}

/** `null`: this process is no worker of ours. */
export function seatOf(env: Readonly<Record<string, string | undefined>>): Seat | null {
  const self = cluster.worker;
  const number = Number(env[WORKER_NUMBER]);
  if (self === undefined || !Number.isInteger(number) || number < 1) return null;
  const tell = (message: string): void => {
    // Who is told no more is gone, and this process with it.
    if (self.isConnected()) self.send(message, () => undefined);
  };
  const all = new Question(() => tell(ALL_METRICS));
  let tellOwn = (): void => tell(OWN_METRICS);
  const asked = new Promise<void>((resolve) => {
    process.on('message', (message) => {
      if (message === STOP) resolve();
      else if (message === OWN_METRICS) tellOwn();
      else {
        const text = answerIn(message, ALL_METRICS);
        if (text !== null) all.answer(text);
      }
    });
    tell(HERE);
  });
  return {
    number,
    asked,
    metricsOfAll(own, { clock, logger }) {
      tellOwn = () => {
        own.read().then(
          (text) => tell(OWN_METRICS + text),
          (error: unknown) => {
            logger.error({ error: messageOf(error) }, 'metrics could not be read');
            tell(OWN_METRICS);
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
