import type { Agent } from '../model/index.js';
import type { RevisionedMap, RevisionedRecord, PastKeys } from './revisioned-map.js';
import { hasVisibleChange, type MergePatch, patchSince, fullPatch } from './agent-patch.js';
import { type AgentKey, maskAgent, includeMask, type View } from './view.js';

export interface AgentChange {
  /** Agent without the parts that the view excludes. The same object for all views that exclude the same parts. */
  readonly agent: Agent;
  /** Creates the patch on demand, because few readers need both the agent and its patch. */
  readonly patch: () => MergePatch;
}

/** Returns the time at which the server last reported the agent. */
export type LastSeenLookup = (agent: Agent) => string;

/**
 * Change of one agent since a revision, shared by all readers at that revision. Computes each change once per set of
 * included parts.
 */
export class AgentDelta {
  readonly id: string;
  /** Null if the agent was removed. */
  readonly agent: Agent | null;
  /** Filter keys of the agent at the revision. */
  readonly pastKeys: PastKeys<AgentKey>;
  readonly #since: number;
  readonly #seenAt: LastSeenLookup;
  /** Copy, because patches are created later, when the record may have changed again. */
  readonly #fieldRevisions: readonly number[];
  readonly #fullChanges: AgentChange[] = [];
  readonly #changed: (AgentChange | null)[] = [];

  constructor(
    record: RevisionedRecord<Agent, AgentKey>,
    since: number,
    seenAt: LastSeenLookup,
    pastKeys = record.keysAt(since),
  ) {
    this.id = record.id;
    this.agent = record.value;
    this.pastKeys = pastKeys;
    this.#since = since;
    this.#seenAt = seenAt;
    this.#fieldRevisions = record.fieldRevisions.slice();
  }

  get fieldRevisions(): readonly number[] {
    return this.#fieldRevisions;
  }

  /** Returns the change for a reader that does not have the agent. */
  fullChange(agent: Agent, view: View): AgentChange {
    return (this.#fullChanges[includeMask(view)] ??= fullAgentChange(agent, view, this.#seenAt));
  }

  /** Returns the change for a reader that had the agent through the same view. Null if no included field changed. */
  changeFor(agent: Agent, view: View): AgentChange | null {
    const mask = includeMask(view);
    let change = this.#changed[mask];
    if (change === undefined) {
      change = hasVisibleChange(this.#fieldRevisions, view, this.#since)
        ? createAgentChange(agent, view, this.#seenAt, () => patchSince(agent, this.#fieldRevisions, view, this.#since))
        : null;
      this.#changed[mask] = change;
    }
    return change;
  }
}

/** Returns the deltas of all agents that changed after `since`, oldest change first. */
export function computeAgentDeltas(
  agents: RevisionedMap<Agent, AgentKey>,
  since: number,
  seenAt: LastSeenLookup,
): readonly AgentDelta[] {
  return [...agents.changedSince(since)].reverse().map((record) => new AgentDelta(record, since, seenAt));
}

export function fullAgentChange(agent: Agent, view: View, seenAt: LastSeenLookup): AgentChange {
  return createAgentChange(agent, view, seenAt, () => fullPatch(agent, view));
}

export function createAgentChange(
  agent: Agent,
  view: View,
  seenAt: LastSeenLookup,
  patch: () => MergePatch,
): AgentChange {
  return { agent: maskAgent(view, agent), patch: () => ({ ...patch(), lastSeenAt: seenAt(agent) }) };
}
