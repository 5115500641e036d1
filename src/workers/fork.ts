import cluster from 'node:cluster';
import type { WorkerPoolOptions } from './workers.js';
import { WORKER_NUMBER_ENV } from './seat.js';

/** What starts this program as a worker. All of them listen on one port, and node:cluster gives them the connections in turn. */
export function createFork(program: string, args: readonly string[]): WorkerPoolOptions['fork'] {
  cluster.setupPrimary({ exec: program, args: [...args] });
  return (number) => cluster.fork({ [WORKER_NUMBER_ENV]: String(number) });
}
