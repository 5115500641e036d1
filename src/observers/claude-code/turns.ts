import type { TranscriptState, TurnPhase } from './transcript-state.js';

/** Begins a turn, because the agent received a prompt, a message or a notification. */
export function startTurn(state: TranscriptState, at: string | null): void {
  state.turn = { phase: 'working', since: at, startedAt: at, inferred: false, error: null };
  state.backgroundAgents = null;
}

/** Records that the agent works on its current turn. */
export function continueTurn(state: TranscriptState, at: string | null): void {
  const { phase, startedAt } = state.turn;
  if (phase === 'working' && !state.turn.inferred) return;
  state.turn = { phase: 'working', since: at, startedAt: startedAt ?? at, inferred: false, error: null };
}

/** Ends the turn. */
export function endTurn(
  state: TranscriptState,
  phase: Exclude<TurnPhase, 'new' | 'working'>,
  at: string | null,
  { inferred = false, error = null }: { readonly inferred?: boolean; readonly error?: string | null } = {},
): void {
  if (phase !== 'idle' || !inferred) state.openCalls.clear();
  if (state.turn.phase === phase && !state.turn.inferred) return;
  state.turn = { phase, since: at, startedAt: state.turn.startedAt, inferred, error };
}
