export { type Seat, seatOf } from './seat.js';
export { forkOf } from './fork.js';
export type { Place } from './run.js';
export { StartError, Workers, type WorkersOptions } from './workers.js';
