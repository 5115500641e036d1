import { addBounded, setBounded } from '../input/bounded-map.js';
import { isJsonObject, type JsonObject, listAt, textAt } from '../input/json-fields.js';
import { type ShownText, toDetail, toName, toTitle } from '../input/shown-text.js';
import { toTaskStatus } from '../input/task-status.js';
import type { PlanStep, RolloutState } from './rollout-state.js';

const MAX_OPEN_CALLS = 256;
const MAX_ANSWERED_CALLS = 64;
const MAX_PLAN_STEPS = 200;
const MAX_ARGUMENTS_LENGTH = 100_000;

/** Records a call. Calls that follow the end of a turn do not reopen it. */
export function openCall(state: RolloutState, item: JsonObject, at: string | null, shown: ShownText): void {
  const id = textAt(item, 'call_id') ?? textAt(item, 'id');
  const name = toolName(item);
  if (id === null || state.answeredCalls.has(id) || (state.turn.phase !== 'working' && state.turn.phase !== 'new'))
    return;
  if (state.turn.phase === 'new') state.turn = { ...state.turn, phase: 'working', since: at };
  const input = parseArguments(item);
  if (name === 'update_plan') state.plan = parsePlan(listAt(input, 'plan'), shown);
  const isEscalated = textAt(input, 'sandbox_permissions') === 'require_escalated' || name === 'request_permissions';
  const detail =
    shown === 'all'
      ? toDetail(textAt(input, 'cmd') ?? textAt(input, 'command') ?? textAt(item, 'arguments'), shown)
      : null;
  setBounded(state.openCalls, id, { name, since: at, isEscalated, detail }, MAX_OPEN_CALLS);
}

/** Records the end of a call, by its own id or by that of its item. */
export function closeCall(state: RolloutState, id: string | null): void {
  if (id === null || !state.openCalls.delete(id)) return;
  addBounded(state.answeredCalls, id, MAX_ANSWERED_CALLS);
}

/** Returns the name of a tool. The tools of MCP servers have a namespace. */
function toolName(item: JsonObject): string {
  if (textAt(item, 'type') === 'local_shell_call') return 'local_shell';
  const name = toName(textAt(item, 'name')) ?? 'unknown';
  const namespace = toName(textAt(item, 'namespace'));
  return namespace?.startsWith('mcp__') === true ? `${namespace}__${name}` : name;
}

function parseArguments(item: JsonObject): JsonObject | null {
  const text = textAt(item, 'arguments');
  if (text === null || text.length > MAX_ARGUMENTS_LENGTH) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

function parsePlan(steps: readonly unknown[], shown: ShownText): readonly PlanStep[] {
  return steps.slice(0, MAX_PLAN_STEPS).map((step) => ({
    title: toTitle(textAt(step, 'step'), shown),
    status: toTaskStatus(textAt(step, 'status')),
  }));
}
