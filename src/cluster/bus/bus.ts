import type { ServerDelta } from '../../state/index.js';
import type { Notice } from '../../model/index.js';
import { type Clock, isoTimestamp } from '../../shared/index.js';

/**
 * Carries deltas from the node that polls a server to all nodes, including itself. Delivers at most once, and in order per
 * server. Receivers detect gaps.
 */
export interface Bus extends AsyncDisposable {
  /** Calls all subscribers of this node before it resolves. Rejects if one of them threw. */
  publish(delta: ServerDelta): Promise<void>;
  /** Calls back for each delta from now on. Dispose to stop. */
  subscribe(callback: (delta: ServerDelta) => void): Disposable;
}

/** Creates the notice that replaces lost events. */
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

/** Port that returns the fencing tokens of this node. */
export interface FencingTokens {
  /** Returns the fencing token under which this node owns the server. Null if it does not own it. */
  tokenOf(serverId: string): number | null;
}
