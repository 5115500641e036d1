export { printable } from '../sanitize/index.js';
