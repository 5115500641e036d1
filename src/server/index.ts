export { type SwarmlensServer, startServer, type StartOptions } from './start.js';
