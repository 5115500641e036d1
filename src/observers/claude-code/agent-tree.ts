import type { AgentCall, AgentEnd, TranscriptState } from './transcript-state.js';
import type { SessionFiles } from './session-files.js';

/** Call that started an agent, and the agent that made it. The caller is null for the session's own agent. */
export interface Origin {
  readonly callerId: string | null;
  readonly call: AgentCall;
}

const MAX_DEPTH = 50;

/** Relations between the agents of one session, from the calls in all of its transcripts. */
export class AgentTree {
  readonly #files: SessionFiles;
  readonly #byCall = new Map<string, Origin>();
  readonly #byAgent = new Map<string, Origin>();
  readonly #ends = new Map<string, AgentEnd>();

  constructor(files: SessionFiles) {
    this.#files = files;
    if (files.main !== null) this.#add(null, files.main.state);
    for (const [id, { state }] of files.subagents) this.#add(id, state);
  }

  /** Returns the call that started an agent. Null if no transcript contains it. */
  originOf(agentId: string): Origin | null {
    const toolUseId = this.#files.metas.get(agentId)?.toolUseId ?? null;
    const byCall = toolUseId === null ? undefined : this.#byCall.get(toolUseId);
    return byCall ?? this.#byAgent.get(agentId) ?? null;
  }

  /** Returns the end of an agent that its parent knows. Null if the agent has not ended or is unknown. */
  endOf(agentId: string): AgentEnd | null {
    const end = this.originOf(agentId)?.call.end ?? null;
    const announced = this.#ends.get(agentId) ?? null;
    if (end === null || announced === null) return end ?? announced;
    return (end.at ?? '') < (announced.at ?? '') ? announced : end;
  }

  /** Returns the parent of an agent. Null for the session's own agent. */
  parentOf(agentId: string): string | null {
    const parent = this.#directParentOf(agentId);
    // Malformed files must not make an agent its own ancestor.
    let ancestor = parent;
    for (let depth = 0; ancestor !== null; depth += 1) {
      if (ancestor === agentId || depth >= MAX_DEPTH) return null;
      ancestor = this.#directParentOf(ancestor);
    }
    return parent;
  }

  #directParentOf(agentId: string): string | null {
    const named = this.#files.metas.get(agentId)?.parentAgentId ?? null;
    const parent = named ?? this.originOf(agentId)?.callerId ?? null;
    return parent !== null && this.#files.subagents.has(parent) ? parent : null;
  }

  #add(callerId: string | null, state: TranscriptState): void {
    for (const [toolUseId, call] of state.agentCalls) {
      const origin = { callerId, call };
      this.#byCall.set(toolUseId, origin);
      if (call.agentId !== null) this.#byAgent.set(call.agentId, origin);
    }
    for (const [agentId, end] of state.agentEnds) {
      const known = this.#ends.get(agentId);
      if (known === undefined || (known.at ?? '') < (end.at ?? '')) this.#ends.set(agentId, end);
    }
  }
}
