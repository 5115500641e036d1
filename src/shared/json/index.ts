export { type JsonMember, type JsonSliceHandler, JsonSlicer, MAX_DIRECT_BYTES } from './json-slicer.js';
export { parseJsonInTurns, runInTurns } from './parse-in-turns.js';
export { JsonMessageReader } from './json-message-reader.js';
