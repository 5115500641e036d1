import cluster from 'node:cluster';

/** What a worker is told by the process that keeps it. */
export const STOP = 'swarmlens: stop';

/** What a worker says when it can be told something: what was said before went past it. */
export const HERE = 'swarmlens: here';

/** The environment variable that holds a worker's number, from 1 on. */
export const WORKER_NUMBER = 'SWARMLENS_WORKER';

/** What a worker has of the program that it is one of; disposing of it lets the process end. */
export interface Seat extends Disposable {
  /** From 1 on; whoever is started in its place has the same. */
  readonly number: number;
  /** Resolves when it is asked to stop. */
  readonly asked: Promise<void>;
}

/** `null`: this process is no worker of ours. */
export function seatOf(env: Readonly<Record<string, string | undefined>>): Seat | null {
  const self = cluster.worker;
  const number = Number(env[WORKER_NUMBER]);
  if (self === undefined || !Number.isInteger(number) || number < 1) return null;
  const asked = new Promise<void>((resolve) => {
    process.on('message', (message) => {
      if (message === STOP) resolve();
    });
    process.send?.(HERE);
  });
  return {
    number,
    asked,
    [Symbol.dispose]() {
      // Without it the process would be held by its connection to the other; dropping that alone would end it at once.
      if (self.isConnected()) self.disconnect();
    },
  };
}
