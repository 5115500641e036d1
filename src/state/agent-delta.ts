import type { Agent } from '../model/index.js';
import type { RevisionedMap, RevisionedRecord, PastKeys } from './revisioned-map.js';
import { hasVisibleChange, type MergePatch, patchSince, fullPatch } from './agent-patch.js';
import { type AgentKey, maskAgent, includeMask, type View } from './view.js';

export interface AgentChange {
  /** Less what the view leaves out; the same object for all views that leave out the same. */
  readonly agent: Agent;
  /** Made when asked for: few readers want both the agent and its patch. */
  readonly patch: () => MergePatch;
}

/** When an agent's server last reported it. */
export type LastSeenLookup = (agent: Agent) => string;

/**
 * What became of one agent after a revision, for all readers that stand there: what depends on a reader's switches
 * only is worked out once for all who have the same.
 */
export class AgentDelta {
  readonly id: string;
  /** `null`: it is gone. */
  readonly agent: Agent | null;
  /** What filters saw at the revision. */
  readonly pastKeys: PastKeys<AgentKey>;
  readonly #since: number;
  readonly #seenAt: LastSeenLookup;
  /** Copied, because patches are made later, when the record may have moved on. */
  readonly #fieldRevisions: readonly number[];
  readonly #whole: AgentChange[] = [];
  readonly #changed: (AgentChange | null)[] = [];

  constructor(
    record: RevisionedRecord<Agent, AgentKey>,
    since: number,
    seenAt: LastSeenLookup,
    past = record.keysAt(since),
  ) {
    this.id = record.id;
    this.agent = record.value;
    this.pastKeys = past;
    this.#since = since;
    this.#seenAt = seenAt;
    this.#fieldRevisions = record.fieldRevisions.slice();
  }

  get fieldRevisions(): readonly number[] {
    return this.#fieldRevisions;
  }

  /** For a reader that does not have the agent. */
  fullChange(agent: Agent, view: View): AgentChange {
    return (this.#whole[includeMask(view)] ??= fullAgentChange(agent, view, this.#seenAt));
  }

  /** For a reader that has the agent as it was, seen through the same view; `null`: it would not notice. */
  changeFor(agent: Agent, view: View): AgentChange | null {
    const switches = includeMask(view);
    let change = this.#changed[switches];
    if (change === undefined) {
      change = hasVisibleChange(this.#fieldRevisions, view, this.#since)
        ? createAgentChange(agent, view, this.#seenAt, () => patchSince(agent, this.#fieldRevisions, view, this.#since))
        : null;
      this.#changed[switches] = change;
    }
    return change;
  }
}

/** What changed after `since`, oldest change first. */
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
