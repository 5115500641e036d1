import { addBounded } from '../input/bounded-map.js';
import { textAt } from '../input/json-fields.js';

const MAX_AGENTS = 5_000;

/** Agents of one run of a workflow that have begun, and those that have returned a result. */
export interface WorkflowJournal {
  readonly started: Set<string>;
  readonly ended: Set<string>;
}

export function createWorkflowJournal(): WorkflowJournal {
  return { started: new Set(), ended: new Set() };
}

/** Applies one record of the journal. An agent may begin again after its result. */
export function reduceJournal(journal: WorkflowJournal, record: unknown): void {
  const agentId = textAt(record, 'agentId');
  if (agentId === null) return;
  const type = textAt(record, 'type');
  if (type === 'started') {
    addBounded(journal.started, agentId, MAX_AGENTS);
    journal.ended.delete(agentId);
  } else if (type === 'result') {
    addBounded(journal.ended, agentId, MAX_AGENTS);
  }
}
