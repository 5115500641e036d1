import { addBounded, setBounded } from '../input/bounded-map.js';
import { isTrueAt, type JsonObject, objectAt, textAt } from '../input/json-fields.js';
import { type ShownText, toDetail, toName, toTitle } from '../input/shown-text.js';
import { toEndStatus } from './task-notification.js';
import { applyTaskResult, recordTaskCall } from './task-tools.js';
import type { AgentCall, TranscriptState } from './transcript-state.js';

const MAX_OPEN_CALLS = 256;
const MAX_ANSWERED_CALLS = 64;
const MAX_AGENT_CALLS = 1_000;

/** Names of the tool that starts an agent. It was called `Task` until 2.1.6x. */
const AGENT_TOOLS: readonly string[] = ['Agent', 'Task'];

/** Members of the inputs of tools that say best what a tool works on. */
const DETAIL_KEYS = ['command', 'file_path', 'pattern', 'url', 'query', 'description', 'prompt'];

/** Records a tool call that the model requests. */
export function openCall(
  state: TranscriptState,
  block: JsonObject,
  answerId: string | null,
  at: string | null,
  shown: ShownText,
): void {
  const id = textAt(block, 'id');
  const name = toName(textAt(block, 'name'));
  if (id === null || name === null || state.openCalls.has(id) || state.answeredCalls.has(id)) return;
  const input = objectAt(block, 'input');
  const detail = shown === 'all' ? toDetail(findDetail(input), shown) : null;
  setBounded(state.openCalls, id, { name, answerId, since: at, detail }, MAX_OPEN_CALLS);
  if (AGENT_TOOLS.includes(name)) recordAgentCall(state, id, input, shown);
  else recordTaskCall(state, id, name, input, at, shown);
}

/**
 * Closes all calls of earlier answers. A model is asked for another answer only when all of its calls have results, also if
 * the record of a result could not be read.
 */
export function closeEarlierCalls(state: TranscriptState, answerId: string): void {
  for (const [id, call] of state.openCalls) {
    if (call.answerId !== null && call.answerId !== answerId) closeCall(state, id);
  }
}

/**
 * Applies the result of a tool call. Returns whether the call was open.
 * @param details result as the tool returned it; null if the record contains several results
 */
export function applyToolResult(
  state: TranscriptState,
  block: JsonObject,
  details: unknown,
  at: string | null,
): boolean {
  const id = textAt(block, 'tool_use_id');
  if (id === null) return false;
  const call = state.openCalls.get(id);
  closeCall(state, id);
  const isError = isTrueAt(block, 'is_error');
  if (state.agentCalls.has(id)) applyAgentResult(state, id, block, details, isError, at);
  else if (!isError) applyTaskResult(state, id, details, at);
  return call !== undefined;
}

function closeCall(state: TranscriptState, id: string): void {
  state.openCalls.delete(id);
  addBounded(state.answeredCalls, id, MAX_ANSWERED_CALLS);
}

function recordAgentCall(state: TranscriptState, id: string, input: JsonObject | null, shown: ShownText): void {
  const call: AgentCall = {
    agentId: null,
    type: toName(textAt(input, 'subagent_type')),
    name: toName(textAt(input, 'name')),
    title: toTitle(textAt(input, 'description'), shown),
    model: toName(textAt(input, 'model')),
    isTeammate: false,
    end: null,
  };
  setBounded(state.agentCalls, id, call, MAX_AGENT_CALLS);
}

/** Applies the result of a call that started an agent. A background agent runs on after it. */
function applyAgentResult(
  state: TranscriptState,
  id: string,
  block: JsonObject,
  details: unknown,
  isError: boolean,
  at: string | null,
): void {
  const call = state.agentCalls.get(id);
  if (call === undefined) return;
  const status = textAt(details, 'status');
  const isBackground = isTrueAt(details, 'isAsync') || status === 'async_launched' || status === 'teammate_spawned';
  state.agentCalls.set(id, {
    ...call,
    agentId: textAt(details, 'agentId') ?? findAgentId(block) ?? call.agentId,
    type: call.type ?? toName(textAt(details, 'agentType')) ?? toName(textAt(details, 'agent_type')),
    name: call.name ?? toName(textAt(details, 'name')),
    model: toName(textAt(details, 'resolvedModel')) ?? toName(textAt(details, 'model')) ?? call.model,
    isTeammate: status === 'teammate_spawned',
    end: isBackground ? null : { status: toCallEnd(status, isError, details), at, hash: null },
  });
}

function toCallEnd(status: string | null, isError: boolean, details: unknown) {
  if (!isError) return toEndStatus(status);
  return details === 'User rejected tool use' || isTrueAt(details, 'interrupted')
    ? ('ended' as const)
    : ('failed' as const);
}

const AGENT_ID = /\bagentId: ([0-9a-zA-Z-]{4,64})\b/;
const MAX_SEARCHED_LENGTH = 4_096;

/** Finds the id of an agent in the text of a result, where older releases put it. */
function findAgentId(block: JsonObject): string | null {
  const { content } = block;
  const texts = Array.isArray(content) ? content.map((part: unknown) => textAt(part, 'text') ?? '') : [content];
  for (const text of texts) {
    const found = typeof text === 'string' ? AGENT_ID.exec(text.slice(0, MAX_SEARCHED_LENGTH))?.[1] : undefined;
    if (found !== undefined) return found;
  }
  return null;
}

function findDetail(input: JsonObject | null): string | null {
  for (const key of DETAIL_KEYS) {
    const text = textAt(input, key);
    if (text !== null) return text;
  }
  return null;
}
