export { EVERYONE, type Viewer } from './viewer.js';
