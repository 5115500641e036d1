import type { ServerDelta } from '../../state/index.js';
import type { Notice } from '../../model/index.js';
import { type Clock, isoTimestamp } from '../../shared/index.js';

/**
 * Carries changes from the node that polls a server to every node that shows it, the polling one included. Delivery
 * is at most once and in order for each server; a gap is the receiver's to notice.
 */
export interface Bus extends AsyncDisposable {
  /** Has called back everybody on this node when it returns; rejects when one of them threw. */
  publish(change: ServerDelta): Promise<void>;
  /** Calls back for each change from now on; dispose to stop. */
  subscribe(callback: (change: ServerDelta) => void): Disposable;
}

/** What people are told instead of events that did not come. */
export function eventsMissedNotice(serverId: string, message: string, clock: Clock): Notice {
  return {
    type: 'notice',
    code: 'EVENTS_MISSED',
    severity: 'WARNING',
    message,
    serverId,
    timestamp: isoTimestamp(clock),
  };
}

/** Which servers this node holds. */
export interface FencingTokens {
  /** The number under which this node watches the server; `null`: another does, or nobody. */
  tokenOf(serverId: string): number | null;
}
