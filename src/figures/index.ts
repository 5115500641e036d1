export { type BusStats, busMetrics } from './bus.js';
export { deliveryMetrics } from './delivery.js';
export { ProcessMetrics } from './process.js';
export { serverMetrics } from './servers.js';
