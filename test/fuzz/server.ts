import { afterAll, beforeAll } from 'vitest';
import { type LogLine, recordingLogger } from '../mcp/support.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { NO_RATES } from '../support/fuzz-inputs.js';

export interface Fuzzed {
  readonly server: DeliveryServer;
  readonly log: readonly LogLine[];
}

/** A server with three agents for all tests of a file. @returns it, once the tests run */
export function fuzzedServer(): () => Fuzzed {
  let fuzzed: Fuzzed | null = null;
  const current = (): Fuzzed => {
    if (fuzzed === null) throw new Error('there is a server only while the tests run');
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
