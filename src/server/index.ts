export { type DeliveryOptions, startServer, type SwarmlensServer } from './start.js';
