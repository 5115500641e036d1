import type { Source, SourceOptions } from '../source.js';
import { CodexSessions } from './codex-sessions.js';
import { reduceRollout } from './reduce-rollout.js';
import { createRolloutState, type RolloutState } from './rollout-state.js';

/** Version of `RolloutState`. */
const STATE_VERSION = 1;

/** Creates the source of Codex. */
export function createCodexSource({ shownText, prices }: SourceOptions): Source {
  return {
    name: 'codex',
    stateVersion: STATE_VERSION,
    patterns: ['sessions/*/*/*/rollout-*.jsonl', 'archived_sessions/rollout-*.jsonl'],
    // The path names the thread, but not the root of its tree.
    classify: (path) => (path.endsWith('.jsonl') ? { read: 'log', session: null } : null),
    createState: createRolloutState,
    reduce: (state, record) => {
      reduceRollout(state as RolloutState, record, shownText); // made by `createState`
    },
    skipRecords: (state) => {
      const rollout = state as RolloutState; // made by `createState`
      rollout.turn = { phase: 'new', since: null, startedAt: null, error: null };
      rollout.openCalls.clear();
      // Only the beginning of a file is copied.
      rollout.isInCopy = false;
    },
    createSessions: () => new CodexSessions(prices),
  };
}
