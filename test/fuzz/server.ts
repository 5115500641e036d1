import { afterAll, beforeAll } from 'vitest';
import { type LogLine, recordingLogger } from '../mcp/support.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { NO_RATES } from '../support/fuzz-inputs.js';

export interface Fuzzed {
  readonly server: DeliveryServer;
  readonly log: readonly LogLine[];
}

/**
 * Starts a server with three agents before the tests of a file and stops it after them.
 * @returns function that returns the running server
 */
export function fuzzedServer(): () => Fuzzed {
  let fuzzed: Fuzzed | null = null;
  const current = (): Fuzzed => {
    if (fuzzed === null) throw new Error('the server runs only during the tests');
    return fuzzed;
  };
  beforeAll(async () => {
    const { logger, lines } = recordingLogger();
    const server = await DeliveryServer.start({}, { logger }, NO_RATES);
    server.show(0, 3, 0);
    fuzzed = { server, log: lines };
  });
  afterAll(async () => {
    await current().server[Symbol.asyncDispose]();
  });
  return current;
}
