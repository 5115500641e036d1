import type { Agent } from '../domain/index.js';
import type { Ledger, LedgerRecord, Past } from './ledger.js';
import { changedInView, type MergePatch, patchSince, wholePatch } from './patch.js';
import { type AgentKey, maskAgent, switchesOf, type View } from './view.js';

export interface ChangedAgent {
  /** Less what the view leaves out; the same object for all views that leave out the same. */
  readonly agent: Agent;
  /** Made when asked for: few readers want both the agent and its patch. */
  readonly patch: () => MergePatch;
}

/** When an agent's server last reported it. */
export type SeenAt = (agent: Agent) => string;

/**
 * What became of one agent after a revision, for all readers that stand there: what depends on a reader's switches
 * only is worked out once for all who have the same.
 */
export class AgentDelta {
  readonly id: string;
  /** `null`: it is gone. */
  readonly agent: Agent | null;
  /** What filters saw at the revision. */
  readonly past: Past<AgentKey>;
  readonly #since: number;
  readonly #seenAt: SeenAt;
  /** Copied, because patches are made later, when the record may have moved on. */
  readonly #fieldRevisions: readonly number[];
  readonly #whole: ChangedAgent[] = [];
  readonly #changed: (ChangedAgent | null)[] = [];

  constructor(record: LedgerRecord<Agent, AgentKey>, since: number, seenAt: SeenAt, past = record.at(since)) {
    this.id = record.id;
    this.agent = record.value;
    this.past = past;
    this.#since = since;
    this.#seenAt = seenAt;
    this.#fieldRevisions = record.fieldRevisions.slice();
  }

  get fieldRevisions(): readonly number[] {
    return this.#fieldRevisions;
  }

  /** For a reader that does not have the agent. */
  whole(agent: Agent, view: View): ChangedAgent {
    return (this.#whole[switchesOf(view)] ??= wholeAgent(agent, view, this.#seenAt));
  }

  /** For a reader that has the agent as it was, seen through the same view; `null`: it would not notice. */
  changed(agent: Agent, view: View): ChangedAgent | null {
    const switches = switchesOf(view);
    let change = this.#changed[switches];
    if (change === undefined) {
      change = changedInView(this.#fieldRevisions, view, this.#since)
        ? changedAgent(agent, view, this.#seenAt, () => patchSince(agent, this.#fieldRevisions, view, this.#since))
        : null;
      this.#changed[switches] = change;
    }
    return change;
  }
}

/** What changed after `since`, oldest change first. */
export function agentDeltas(agents: Ledger<Agent, AgentKey>, since: number, seenAt: SeenAt): readonly AgentDelta[] {
  return [...agents.changedSince(since)].reverse().map((record) => new AgentDelta(record, since, seenAt));
}

export function wholeAgent(agent: Agent, view: View, seenAt: SeenAt): ChangedAgent {
  return changedAgent(agent, view, seenAt, () => wholePatch(agent, view));
}

export function changedAgent(agent: Agent, view: View, seenAt: SeenAt, patch: () => MergePatch): ChangedAgent {
  return { agent: maskAgent(view, agent), patch: () => ({ ...patch(), lastSeenAt: seenAt(agent) }) };
}
