import { amountAt, isJsonObject, isTrueAt, type JsonObject, listAt, objectAt, textAt } from '../input/json-fields.js';
import { type ShownText, toName } from '../input/shown-text.js';
import { closeEarlierCalls, openCall } from './tool-calls.js';
import type { TranscriptState } from './transcript-state.js';
import { continueTurn, endTurn } from './turns.js';
import { recordUsage, type TokenAmounts } from './usage-ledger.js';

/** Name of the model in records that the client made by itself. */
const SYNTHETIC_MODEL = '<synthetic>';

/** Reasons to stop after which the turn of an agent is over. */
const FINAL_STOP_REASONS: readonly string[] = ['end_turn', 'stop_sequence', 'max_tokens', 'refusal'];

/** Applies a record of type `assistant`, which contains one block of an answer of the model. */
export function reduceAssistant(state: TranscriptState, record: JsonObject, at: string | null, shown: ShownText): void {
  const message = objectAt(record, 'message');
  if (isTrueAt(record, 'isApiErrorMessage')) {
    endTurn(state, 'failed', at, { error: toName(textAt(record, 'error')) ?? 'unknown' });
    return;
  }
  const model = textAt(message, 'model');
  if (message === null || model === SYNTHETIC_MODEL) return;
  if (model !== null) state.model = toName(model);
  state.hasCutAnswers ||= isTrueAt(record, 'isAbortedMidStream');
  const messageId = textAt(message, 'id');
  const answerId = messageId === null ? null : `${messageId} ${textAt(record, 'requestId') ?? ''}`;
  if (answerId !== null) closeEarlierCalls(state, answerId);
  const usage = objectAt(message, 'usage');
  if (usage !== null) applyUsage(state, toTokenAmounts(usage), answerId ?? textAt(record, 'uuid'));
  const blocks = listAt(message, 'content').filter(isJsonObject);
  for (const block of blocks) {
    if (textAt(block, 'type') === 'tool_use') openCall(state, block, answerId, at, shown);
  }
  applyStop(state, textAt(message, 'stop_reason'), blocks, at);
}

function applyStop(
  state: TranscriptState,
  reason: string | null,
  blocks: readonly JsonObject[],
  at: string | null,
): void {
  const hasOpenCalls = state.openCalls.size > 0;
  const isAnswer = blocks.some((block) => textAt(block, 'type') === 'text');
  if (reason !== null && FINAL_STOP_REASONS.includes(reason) && !hasOpenCalls) endTurn(state, 'idle', at);
  // Old releases do not say why an answer stopped. A text after which nothing is called is probably the last one.
  else if (reason === null && isAnswer && !hasOpenCalls && !state.hasReliableStopReasons) {
    endTurn(state, 'idle', at, { inferred: true });
  } else continueTurn(state, at);
}

function applyUsage(state: TranscriptState, usage: TokenAmounts, answerId: string | null): void {
  const { input, cacheWrite, cacheRead } = usage;
  const used = input + cacheWrite + cacheRead;
  if (used > 0) {
    state.contextTokens = used;
    state.maxContextTokens = Math.max(state.maxContextTokens, used);
  }
  if (answerId !== null) recordUsage(state.usage, answerId, state.model, usage);
}

function toTokenAmounts(usage: JsonObject): TokenAmounts {
  const parts = objectAt(usage, 'cache_creation');
  const longCacheWrite = amountAt(parts, 'ephemeral_1h_input_tokens') ?? 0;
  const partsSum = longCacheWrite + (amountAt(parts, 'ephemeral_5m_input_tokens') ?? 0);
  return {
    input: amountAt(usage, 'input_tokens') ?? 0,
    output: amountAt(usage, 'output_tokens') ?? 0,
    // Before 2.1.152, the sum could be 0 while its parts were right.
    cacheWrite: Math.max(amountAt(usage, 'cache_creation_input_tokens') ?? 0, partsSum),
    cacheRead: amountAt(usage, 'cache_read_input_tokens') ?? 0,
    longCacheWrite,
  };
}
