import { amountAt, type JsonObject, objectAt, textAt } from '../input/json-fields.js';
import type { TranscriptState } from './transcript-state.js';
import { endTurn } from './turns.js';

/** Number of records that a compaction may repeat. A clock that is set back hides no more records than that. */
const MAX_REPETITIONS = 100;

/** Applies a record of type `system`. A record of subtype `api_error` is a retry and no failure. */
export function reduceSystem(state: TranscriptState, record: JsonObject, at: string | null): void {
  switch (textAt(record, 'subtype')) {
    case 'turn_duration':
      // The duration is also recorded after a turn that ended in an error or was interrupted.
      if (state.turn.phase === 'working' || state.turn.phase === 'new' || state.turn.inferred)
        endTurn(state, 'idle', at);
      state.backgroundAgents = amountAt(record, 'pendingBackgroundAgentCount') ?? 0;
      break;
    case 'stop_hook_summary':
      if (state.turn.phase === 'working' && state.openCalls.size === 0) endTurn(state, 'idle', at);
      break;
    case 'compact_boundary': {
      const remaining = amountAt(objectAt(record, 'compactMetadata'), 'postTokens');
      if (remaining !== null) state.contextTokens = remaining;
      state.compactedAt = at ?? state.compactedAt;
      state.repetitionsLeft = MAX_REPETITIONS;
      break;
    }
    case null:
    default:
      break;
  }
}
