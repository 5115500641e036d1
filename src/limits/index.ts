export { OncePerSecond } from './once-per-second.js';
