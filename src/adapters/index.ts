export { type Adapter, type AdapterContext, type ToolCaller } from './adapter.js';
export { createAdapter, detectServerType, guessServerType } from './detect.js';
