import { amountAt, type JsonObject, objectAt, textAt } from '../input/json-fields.js';
import { toName } from '../input/shown-text.js';
import { parseIsoTime } from '../input/times.js';
import type { ThreadIdentity, ThreadKind } from './rollout-state.js';

/** Sources of threads that compact histories or collect memories. */
const HELPER_SOURCES: readonly string[] = ['compact', 'memory_consolidation'];

/** Parses the `session_meta` of a rollout. Returns null if it names no thread. */
export function parseThreadIdentity(payload: JsonObject): ThreadIdentity | null {
  const id = textAt(payload, 'id');
  if (id === null) return null;
  const spawn = objectAt(objectAt(objectAt(payload, 'source'), 'subagent'), 'thread_spawn');
  const kind = kindOf(payload);
  const forkedFrom = kind === 'root' ? null : textAt(payload, 'forked_from_id');
  return {
    id,
    rootId: textAt(payload, 'session_id') ?? id,
    parentId: textAt(payload, 'parent_thread_id') ?? textAt(spawn, 'parent_thread_id') ?? forkedFrom,
    kind,
    path: textAt(payload, 'agent_path') ?? textAt(spawn, 'agent_path'),
    nickname: toName(textAt(payload, 'agent_nickname') ?? textAt(spawn, 'agent_nickname')),
    role: toName(textAt(payload, 'agent_role') ?? textAt(spawn, 'agent_role')),
    createdAt: parseIsoTime(payload['timestamp']),
    firstOrdinal:
      ordinalAt(payload, 'subagent_history_start_ordinal') ??
      ordinalAt(objectAt(payload, 'history_base'), 'end_ordinal_exclusive'),
  };
}

/** Returns a number that may be written as a text. */
export function ordinalAt(value: unknown, key: string): number | null {
  const text = textAt(value, key);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : amountAt(value, key);
}

function kindOf(payload: JsonObject): ThreadKind {
  const threadSource = textAt(payload, 'thread_source');
  if (threadSource === 'guardian_review') return 'helper';
  const source = objectAt(payload, 'source');
  if (objectAt(source, 'internal') !== null || textAt(source, 'internal') !== null) return 'helper';
  const name = textAt(source, 'subagent');
  if (name !== null) return HELPER_SOURCES.includes(name) ? 'helper' : name === 'review' ? 'review' : 'subagent';
  const subagent = objectAt(source, 'subagent');
  if (subagent !== null) return textAt(subagent, 'other') === 'guardian' ? 'helper' : 'subagent';
  return threadSource === 'subagent' ? 'subagent' : 'root';
}
