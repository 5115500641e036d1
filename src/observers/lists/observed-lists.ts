import type {
  ObservedAgent,
  ObservedMessage,
  ObservedSwarm,
  ObservedTask,
  ObserverListTool,
} from '../../observer-format/index.js';
import { Emitter } from '../../shared/index.js';
import type { SessionEntries } from '../source.js';
import { RevisionedList } from './revisioned-list.js';

/** Maximum number of messages that are kept. */
const MAX_MESSAGES = 2_000;

const NO_ENTRIES: SessionEntries = { agents: [], swarms: [], tasks: [], messages: [] };

/** Revision of the lists. An earlier run of the observer has another epoch, whose revisions mean nothing. */
export class ObservedLists {
  readonly agents = new RevisionedList<ObservedAgent>();
  readonly swarms = new RevisionedList<ObservedSwarm>();
  readonly tasks = new RevisionedList<ObservedTask>();
  readonly messages = new RevisionedList<ObservedMessage>();
  readonly #epoch: string;
  readonly #sessions = new Map<string, SessionEntries>();
  readonly #changes = new Emitter<readonly ObserverListTool[]>();
  #revision = 0;

  /** @param epoch text that differs from that of every other run */
  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  get revision(): string {
    return `${this.#epoch}-${this.#revision}`;
  }

  /** Calls back with the lists that have changed. Dispose to stop. */
  onChange(callback: (lists: readonly ObserverListTool[]) => void): Disposable {
    return this.#changes.add(callback);
  }

  /** Parses a revision of this run. Null for any other text. */
  parseRevision(text: string | null): number | null {
    if (text?.startsWith(`${this.#epoch}-`) !== true) return null;
    const revision = Number(text.slice(this.#epoch.length + 1));
    return Number.isSafeInteger(revision) && revision >= 0 && revision <= this.#revision ? revision : null;
  }

  /** Replaces the entries of sessions as one revision. */
  apply(sessions: ReadonlyMap<string, SessionEntries | null>): void {
    const revision = this.#revision + 1;
    const changed = new Set<ObserverListTool>();
    for (const [sessionId, entries] of sessions) {
      const before = this.#sessions.get(sessionId) ?? NO_ENTRIES;
      const after = entries ?? NO_ENTRIES;
      const hasNewAgents = replace(this.agents, before.agents, after.agents, revision);
      const hasNewSwarms = replace(this.swarms, before.swarms, after.swarms, revision);
      if (hasNewAgents || hasNewSwarms) changed.add('list_agents');
      if (replace(this.tasks, before.tasks, after.tasks, revision)) changed.add('list_tasks');
      if (replace(this.messages, before.messages, after.messages, revision)) changed.add('list_messages');
      if (entries === null) this.#sessions.delete(sessionId);
      else this.#sessions.set(sessionId, entries);
    }
    if (changed.size === 0) return;
    this.#revision = revision;
    this.#removeOldMessages();
    this.#changes.emit([...changed]);
  }

  #removeOldMessages(): void {
    const excess = this.messages.size - MAX_MESSAGES;
    if (excess <= 0) return;
    const oldest = [...this.messages.values()].sort((a, b) => (a.sentAt < b.sentAt ? -1 : 1)).slice(0, excess);
    for (const { id } of oldest) this.messages.remove(id, this.#revision);
  }
}

/** Returns whether the list has changed. */
function replace<T extends { readonly id: string }>(
  list: RevisionedList<T>,
  before: readonly T[],
  after: readonly T[],
  revision: number,
): boolean {
  let hasChanged = false;
  const kept = new Set(after.map(({ id }) => id));
  for (const { id } of before) if (!kept.has(id) && list.remove(id, revision)) hasChanged = true;
  for (const entry of after) if (list.set(entry, revision)) hasChanged = true;
  return hasChanged;
}
