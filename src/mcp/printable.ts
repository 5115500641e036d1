export { toPrintableLine } from '../sanitize/index.js';
