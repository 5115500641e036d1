import type { Notice } from '../domain/index.js';
import { type Clock, isoTimestamp } from '../shared/index.js';

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
