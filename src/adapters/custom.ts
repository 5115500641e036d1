import type { ServerReport } from '../domain/index.js';
import type { Adapter } from './adapter.js';

/** A server of a kind that we do not know: it is in the picture, with no agents, and its tools are not called. */
export class CustomAdapter implements Adapter {
  readonly type = 'CUSTOM';
  readonly families = ['CUSTOM'] as const;
  readonly rejected = 0;

  poll(signal: AbortSignal): Promise<ServerReport> {
    return signal.aborted
      ? Promise.reject(new Error('the poll was aborted', { cause: signal.reason }))
      : Promise.resolve({ agents: [], swarms: [], edges: [], failures: [] });
  }
}
