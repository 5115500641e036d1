import { setBounded } from '../input/bounded-map.js';
import { hashText } from '../input/hash-text.js';
import { amountAt, isJsonObject, isTrueAt, type JsonObject, objectAt, textAt } from '../input/json-fields.js';
import { type ShownText, toName, toTitle } from '../input/shown-text.js';
import { laterTime, parseIsoTime } from '../input/times.js';
import { reduceAssistant } from './reduce-assistant.js';
import { reduceSystem } from './reduce-system.js';
import { recordNotification, reduceUser } from './reduce-user.js';
import { createTranscriptState, type TranscriptState } from './transcript-state.js';
import { endTurn } from './turns.js';

const MAX_COPY_KEYS = 16;
const MAX_SIDECHAINS = 100;
const MAX_SIDECHAIN_RECORDS = 5_000;

/** First release whose records all say why an answer stopped. */
const RELIABLE_STOP_REASONS = [2, 1, 97] as const;

/**
 * Applies one record of a transcript to its state. Pure: the result depends on the state and the record only. Every field of a
 * record is optional; unknown records are skipped.
 */
export function reduceRecord(state: TranscriptState, record: unknown, shown: ShownText): void {
  if (!isJsonObject(record)) return;
  const sidechain = findSidechain(state, record);
  if (sidechain === null) applyRecord(state, record, shown);
  else applyRecord(sidechain, record, shown);
}

function applyRecord(state: TranscriptState, record: JsonObject, shown: ShownText): void {
  const at = parseIsoTime(record['timestamp']);
  state.firstAt ??= at;
  const type = textAt(record, 'type');
  const id = textAt(record, 'uuid');
  if (id !== null) {
    if (isRepeated(state, record, id, at)) return;
    recordEnvelope(state, record, id, at);
  }
  state.lastActiveAt = laterTime(state.lastActiveAt, at);
  switch (type) {
    case 'user':
      reduceUser(state, record, at, shown);
      break;
    case 'assistant':
      reduceAssistant(state, record, at, shown);
      break;
    case 'system':
      reduceSystem(state, record, at);
      break;
    case 'attachment':
      reduceAttachment(state, objectAt(record, 'attachment'), at);
      break;
    case 'queue-operation':
      if (textAt(record, 'operation') === 'enqueue') recordNotification(state, textAt(record, 'content'), at);
      break;
    case 'ai-title':
      state.generatedTitle = toTitle(textAt(record, 'aiTitle'), shown) ?? state.generatedTitle;
      break;
    case 'custom-title':
      state.customTitle = toName(textAt(record, 'customTitle')) ?? state.customTitle;
      break;
    case 'agent-name':
      state.agentName = toName(textAt(record, 'agentName')) ?? state.agentName;
      break;
    case 'cost-state':
      reduceCost(state, record, at);
      break;
    case null:
    default:
      break;
  }
}

/**
 * Returns whether the file already had the record. Some releases repeat records after a compaction, before the conversation
 * goes on.
 */
function isRepeated(state: TranscriptState, record: JsonObject, id: string, at: string | null): boolean {
  const hash = hashText(id);
  const { recentRecords } = state;
  if (recentRecords.includes(hash)) return true;
  recentRecords[state.nextRecord] = hash;
  state.nextRecord = (state.nextRecord + 1) % recentRecords.length;
  if (state.repetitionsLeft === 0 || state.compactedAt === null || at === null) return false;
  const isOlder = at < state.compactedAt;
  const isConversation = record['type'] === 'assistant' || record['type'] === 'user';
  if (isOlder) state.repetitionsLeft -= 1;
  else if (isConversation && !isTrueAt(record, 'isCompactSummary')) state.repetitionsLeft = 0;
  return isOlder;
}

/** Records what all records of the conversation contain. */
function recordEnvelope(state: TranscriptState, record: JsonObject, id: string, at: string | null): void {
  state.sessionId = textAt(record, 'sessionId') ?? state.sessionId;
  state.agentId = textAt(record, 'agentId') ?? state.agentId;
  state.directory = textAt(record, 'cwd') ?? state.directory;
  const version = textAt(record, 'version');
  if (version !== null) state.hasReliableStopReasons = isRecentRelease(version);
  state.firstConversationAt ??= at;
  state.lastConversationAt = at ?? state.lastConversationAt;
  // A copy repeats the history of its original from the beginning, or from a compaction.
  const isBeginning = record['parentUuid'] === null;
  if (isBeginning && state.copyKeys.size < MAX_COPY_KEYS) state.copyKeys.add(hashText(id));
}

function reduceAttachment(state: TranscriptState, attachment: JsonObject | null, at: string | null): void {
  const type = textAt(attachment, 'type');
  if (type === 'model') {
    state.announcedModel = toName(textAt(objectAt(attachment, 'identity'), 'modelId')) ?? state.announcedModel;
  } else if (type === 'queued_command' && textAt(attachment, 'commandMode') === 'task-notification') {
    recordNotification(state, textAt(attachment, 'prompt'), at);
  }
}

/** Applies the cost of a session, which is written when the session ends and only grows. */
function reduceCost(state: TranscriptState, record: JsonObject, at: string | null): void {
  const usd = amountAt(record, 'totalCostUSD');
  if (usd !== null) {
    const isComplete = !isTrueAt(record, 'hasUnknownModelCost');
    state.cost = { usd: Math.max(usd, state.cost?.usd ?? 0), isComplete };
  }
  endTurn(state, 'ended', at ?? state.lastActiveAt, { error: state.turn.error });
}

/**
 * Returns the state of the agent that an old release recorded in the transcript of its session. Null for a record of the
 * transcript's own agent.
 */
function findSidechain(state: TranscriptState, record: JsonObject): TranscriptState | null {
  // In the file of a subagent, every record names the agent.
  if (!isTrueAt(record, 'isSidechain') || textAt(record, 'agentId') !== null) return null;
  const id = textAt(record, 'uuid');
  if (id === null) return null;
  const parent = textAt(record, 'parentUuid');
  const chain = (parent === null ? undefined : state.sidechainOf.get(parent)) ?? id;
  setBounded(state.sidechainOf, id, chain, MAX_SIDECHAIN_RECORDS);
  const sidechain = state.sidechains.get(chain) ?? createTranscriptState();
  setBounded(state.sidechains, chain, sidechain, MAX_SIDECHAINS);
  return sidechain;
}

function isRecentRelease(version: string): boolean {
  const parts = version.split('.', 3).map((part) => Number.parseInt(part, 10));
  for (const [index, least] of RELIABLE_STOP_REASONS.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
