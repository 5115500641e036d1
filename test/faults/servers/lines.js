// Parses newline-delimited JSON, the format of MCP over streams and of the orders of tests.
import { createInterface } from 'node:readline';

/** Calls `callback` with each line and its JSON value, or undefined if the line is not JSON. */
export function onJsonLines(stream, callback) {
  createInterface({ input: stream })
    // The owner of a socket handles its errors.
    .on('error', () => undefined)
    .on('line', (line) => callback(line, parsed(line)));
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
