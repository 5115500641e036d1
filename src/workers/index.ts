export { type WorkerContext, getWorkerContext } from './seat.js';
export { createFork } from './fork.js';
export type { ListenAddress } from './run.js';
export { WorkerStartError, WorkerPool, type WorkerPoolOptions } from './workers.js';
