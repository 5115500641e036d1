// Newline-delimited JSON: how MCP goes over streams, and how the test gives its orders.
import { createInterface } from 'node:readline';

/** Calls back for each line of JSON, and with `undefined` for what is none. */
export function onJsonLines(stream, callback) {
  createInterface({ input: stream })
    // A socket's, which its owner hears too.
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
