import { setBounded } from '../input/bounded-map.js';
import { isJsonObject, isTrueAt, type JsonObject, objectAt, textAt } from '../input/json-fields.js';
import type { ShownText } from '../input/shown-text.js';
import { parseTaskNotification } from './task-notification.js';
import { parseTeammateMessages } from './teammate-message.js';
import { applyToolResult } from './tool-calls.js';
import type { TranscriptState } from './transcript-state.js';
import { continueTurn, endTurn, startTurn } from './turns.js';
import { classifyUserText } from './user-texts.js';

const MAX_AGENT_ENDS = 1_000;
const MAX_MESSAGES = 200;

/** Applies a record of type `user`: results of tools, prompts, messages, notifications and interrupts. */
export function reduceUser(state: TranscriptState, record: JsonObject, at: string | null, shown: ShownText): void {
  const content = objectAt(record, 'message')?.['content'];
  const blocks = Array.isArray(content) ? content.filter(isJsonObject) : [];
  const results = blocks.filter((block) => textAt(block, 'type') === 'tool_result');
  const details = results.length === 1 ? record['toolUseResult'] : null;
  for (const result of results) {
    const wasOpen = applyToolResult(state, result, details, at);
    if (wasOpen || state.turn.phase === 'new') continueTurn(state, at);
  }
  const isAddedText = ['isMeta', 'isCompactSummary', 'isVisibleInTranscriptOnly'].some((key) => isTrueAt(record, key));
  if (isAddedText) return;
  const texts = typeof content === 'string' ? [content] : blocks.flatMap((block) => textAt(block, 'text') ?? []);
  for (const text of texts) applyText(state, text, at, shown);
  const hasImageOnly = texts.length === 0 && results.length === 0 && blocks.length > 0;
  if (hasImageOnly) startTurn(state, at);
}

/** Records the end of a background agent. The same end is announced at once, and again when it is delivered. */
export function recordNotification(state: TranscriptState, text: string | null, at: string | null): void {
  if (text === null || classifyUserText(text) !== 'notification') return;
  const notification = parseTaskNotification(text);
  if (notification === null) return;
  const { taskId, status, hash } = notification;
  // The agent may have begun another turn before the delivery.
  if (state.agentEnds.get(taskId)?.hash === hash) return;
  setBounded(state.agentEnds, taskId, { status, at, hash }, MAX_AGENT_ENDS);
}

function applyText(state: TranscriptState, text: string, at: string | null, shown: ShownText): void {
  switch (classifyUserText(text)) {
    case 'interrupt':
      state.hasCutAnswers ||= state.openCalls.size === 0;
      endTurn(state, 'interrupted', at);
      break;
    case 'notification':
      recordNotification(state, text, at);
      startTurn(state, at);
      break;
    case 'teammate':
      state.messages = [...state.messages, ...parseTeammateMessages(text, at, shown)].slice(-MAX_MESSAGES);
      startTurn(state, at);
      break;
    case 'warmup':
      if (state.turn.phase === 'new') state.isHelper = true;
      startTurn(state, at);
      break;
    case 'local':
      break;
    case 'prompt':
      startTurn(state, at);
      break;
  }
}
