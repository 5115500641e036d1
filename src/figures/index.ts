export { type BusFigures, busFigures } from './bus.js';
export { deliveryFigures } from './delivery.js';
export { ProcessFigures } from './process.js';
export { serverFigures } from './servers.js';
