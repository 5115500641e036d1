import cluster from 'node:cluster';
import type { WorkersOptions } from './workers.js';
import { WORKER_NUMBER } from './seat.js';

/** What starts this program as a worker. All of them listen on one port, and node:cluster gives them the connections in turn. */
export function forkOf(program: string, args: readonly string[]): WorkersOptions['fork'] {
  cluster.setupPrimary({ exec: program, args: [...args] });
  return (number) => cluster.fork({ [WORKER_NUMBER]: String(number) });
}
