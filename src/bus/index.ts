export { type Bus } from './bus.js';
export { MemoryBus } from './memory.js';
