import { addBounded } from '../input/bounded-map.js';
import { hashText } from '../input/hash-text.js';
import { amountAt, isJsonObject, type JsonObject, listAt, objectAt, textAt } from '../input/json-fields.js';
import { type ShownText, toDetail, toName } from '../input/shown-text.js';
import { laterTime, parseIsoTime } from '../input/times.js';
import { closeCall, openCall } from './rollout-calls.js';
import type { RolloutState, RolloutTokens, ThreadPhase } from './rollout-state.js';
import { ordinalAt, parseThreadIdentity } from './thread-identity.js';

const MAX_RECENT_RESPONSES = 256;
const MAX_MESSAGES = 200;
/** Greatest difference in milliseconds between the creation of a thread and the start of its own first turn. */
const COPY_MARGIN_MS = 1_000;

/**
 * Applies one record of a rollout to its state. Pure: the result depends on the state and the record only. Unknown records are
 * skipped.
 */
export function reduceRollout(state: RolloutState, record: unknown, shown: ShownText): void {
  if (!isJsonObject(record)) return;
  const payload = objectAt(record, 'payload');
  const type = textAt(record, 'type');
  if (payload === null) return;
  if (type === 'session_meta') {
    reduceMeta(state, payload);
    return;
  }
  if (isCopied(state, record, payload)) return;
  const at = parseIsoTime(record['timestamp']);
  state.lastActiveAt = laterTime(state.lastActiveAt, at);
  switch (type) {
    case 'turn_context':
      applySettings(state, payload);
      break;
    case 'response_item':
      state.lastConversationAt = at ?? state.lastConversationAt;
      reduceItem(state, payload, at, shown);
      break;
    case 'event_msg':
      state.lastConversationAt = at ?? state.lastConversationAt;
      reduceEvent(state, payload, at);
      break;
    case 'token_usage_record':
      reduceUsageRecord(state, payload);
      break;
    case 'inter_agent_communication':
      reduceMessage(state, payload, at, shown);
      break;
    case null:
    default:
      break;
  }
}

/** Applies the identity of the thread. A second one is that of the parent, whose history the file begins with. */
function reduceMeta(state: RolloutState, payload: JsonObject): void {
  if (state.identity !== null) {
    if (textAt(payload, 'id') !== state.identity.id && state.identity.firstOrdinal === null) state.isInCopy = true;
    return;
  }
  state.identity = parseThreadIdentity(payload);
  state.directory = textAt(payload, 'cwd') ?? state.directory;
}

/** Returns whether a record is copied from the parent. */
function isCopied(state: RolloutState, record: JsonObject, payload: JsonObject): boolean {
  const firstOrdinal = state.identity?.firstOrdinal ?? null;
  const ordinal = ordinalAt(record, 'ordinal');
  if (firstOrdinal !== null && ordinal !== null) return ordinal < firstOrdinal;
  if (!state.isInCopy) return false;
  // Copied records get new times, but the start of a turn is also in its content.
  const startedAt = textAt(payload, 'type') === 'task_started' ? amountAt(payload, 'started_at') : null;
  const createdAt = state.identity?.createdAt ?? null;
  const isOwn = startedAt !== null && createdAt !== null && startedAt * 1_000 >= Date.parse(createdAt) - COPY_MARGIN_MS;
  if (isOwn) state.isInCopy = false;
  return !isOwn;
}

function applySettings(state: RolloutState, settings: JsonObject): void {
  state.model = toName(textAt(settings, 'model')) ?? state.model;
  state.directory = textAt(settings, 'cwd') ?? state.directory;
  state.approvalPolicy = textAt(settings, 'approval_policy') ?? state.approvalPolicy;
  const reviewer = textAt(settings, 'approvals_reviewer');
  if (reviewer !== null) state.asksPerson = reviewer === 'user';
  const mode = objectAt(settings, 'collaboration_mode');
  if (mode !== null) state.isPlanning = textAt(mode, 'mode') === 'plan';
}

/** Applies an item of the conversation with the model. */
function reduceItem(state: RolloutState, item: JsonObject, at: string | null, shown: ShownText): void {
  switch (textAt(item, 'type')) {
    case 'function_call':
    case 'custom_tool_call':
    case 'local_shell_call':
      openCall(state, item, at, shown);
      break;
    case 'function_call_output':
    case 'custom_tool_call_output':
      closeCall(state, textAt(item, 'call_id'));
      break;
    case null:
    default:
      break;
  }
}

function reduceEvent(state: RolloutState, event: JsonObject, at: string | null): void {
  switch (textAt(event, 'type')) {
    case 'task_started':
    case 'turn_started':
      state.turn = { phase: 'working', since: at, startedAt: at, error: null };
      state.openCalls.clear();
      state.hasOpenPlan = false;
      state.hasOpenQuestion = false;
      state.windowTokens = amountAt(event, 'model_context_window') ?? state.windowTokens;
      break;
    case 'task_complete':
    case 'turn_complete': {
      const error = objectAt(event, 'error');
      if (error !== null) endTurn(state, 'failed', at, errorCode(error));
      else if (state.turn.phase !== 'failed') endTurn(state, 'idle', at, null);
      break;
    }
    case 'turn_aborted': {
      const reason = textAt(event, 'reason');
      const phase = reason === 'budget_limited' ? 'failed' : reason === 'review_ended' ? 'idle' : 'interrupted';
      endTurn(state, phase, at, phase === 'failed' ? reason : null);
      break;
    }
    case 'error':
      endTurn(state, 'failed', at, errorCode(event));
      break;
    case 'token_count':
      reduceTokenCount(state, objectAt(event, 'info'));
      break;
    case 'thread_settings_applied': {
      const settings = objectAt(event, 'thread_settings');
      if (settings !== null) applySettings(state, settings);
      break;
    }
    case 'item_completed':
      reduceCompletedItem(state, objectAt(event, 'item'));
      break;
    case 'patch_apply_end':
    case 'mcp_tool_call_end':
    case 'exec_command_end':
      closeCall(state, textAt(event, 'call_id'));
      break;
    case null:
    default:
      break;
  }
}

function reduceCompletedItem(state: RolloutState, item: JsonObject | null): void {
  closeCall(state, textAt(item, 'id'));
  const type = textAt(item, 'type');
  if (type === 'Plan' && state.isPlanning) state.hasOpenPlan = true;
  else if (type === 'UserMessage') state.hasOpenQuestion = false;
  else if (type === 'AgentMessage' && listAt(item, 'questions').length > 0) state.hasOpenQuestion = true;
}

function endTurn(state: RolloutState, phase: ThreadPhase, at: string | null, error: string | null): void {
  state.turn = { phase, since: at, startedAt: state.turn.startedAt, error };
  for (const id of state.openCalls.keys()) closeCall(state, id);
}

/** Returns the code of an error, which is a word or an object with one key. */
function errorCode(error: JsonObject): string {
  const info = error['codex_error_info'];
  const code = isJsonObject(info) ? (Object.keys(info)[0] ?? null) : typeof info === 'string' ? info : null;
  return toName(code) ?? 'unknown';
}

/** Applies cumulative counts, which are repeated and never added up. */
function reduceTokenCount(state: RolloutState, info: JsonObject | null): void {
  if (info === null) return;
  const total = objectAt(info, 'total_token_usage');
  if (total !== null) state.totals = toTokens(total);
  state.contextTokens = amountAt(objectAt(info, 'last_token_usage'), 'total_tokens') ?? state.contextTokens;
  state.windowTokens = amountAt(info, 'model_context_window') ?? state.windowTokens;
}

/** Adds the tokens of one response. */
function reduceUsageRecord(state: RolloutState, record: JsonObject): void {
  const threadId = textAt(record, 'thread_id');
  const responseId = textAt(record, 'response_id');
  const usage = objectAt(record, 'usage');
  if (usage === null || responseId === null || (threadId !== null && threadId !== state.identity?.id)) return;
  const hash = hashText(responseId);
  if (state.recentResponses.has(hash)) return;
  addBounded(state.recentResponses, hash, MAX_RECENT_RESPONSES);
  const { input, cached, cacheWrite, output } = toTokens(usage);
  const sum = state.responses ?? { input: 0, cached: 0, cacheWrite: 0, output: 0 };
  state.responses = {
    input: sum.input + input,
    cached: sum.cached + cached,
    cacheWrite: sum.cacheWrite + cacheWrite,
    output: sum.output + output,
  };
  state.contextTokens = amountAt(usage, 'total_tokens') ?? state.contextTokens;
}

function toTokens(usage: JsonObject): RolloutTokens {
  return {
    input: amountAt(usage, 'input_tokens') ?? 0,
    cached: amountAt(usage, 'cached_input_tokens') ?? 0,
    cacheWrite: amountAt(usage, 'cache_write_input_tokens') ?? 0,
    output: amountAt(usage, 'output_tokens') ?? 0,
  };
}

function reduceMessage(state: RolloutState, payload: JsonObject, at: string | null, shown: ShownText): void {
  const from = textAt(payload, 'author');
  const to = textAt(payload, 'recipient');
  if (from === null || to === null || at === null) return;
  const text = listAt(payload, 'content')
    .map((part) => textAt(part, 'text') ?? '')
    .join('\n');
  const message = { from, to, sentAt: at, hash: hashText(text), text: toDetail(text, shown) };
  state.messages = [...state.messages, message].slice(-MAX_MESSAGES);
}
