import { z } from 'zod';
import type { ObservedWaitReason } from '../../observer-format/index.js';
import { isJsonObject, listAt, textAt } from '../input/json-fields.js';
import { type ShownText, toName, toTitle } from '../input/shown-text.js';
import { formatTime, parseIsoTime } from '../input/times.js';
import { toTaskStatus } from '../input/task-status.js';
import { parseTodos, toTaskId, toTaskIds } from './task-tools.js';
import { createTeamMessage, type TeamMessage } from './teammate-message.js';
import type { TranscriptTask } from './transcript-state.js';

/** Text of an unknown shape. Missing and malformed values become null. */
const text = z.string().min(1).nullable().catch(null);
const number = z.number().nullable().catch(null);
const epochTime = number.transform(formatTime);

/** Identity of a subagent, which Claude Code writes beside its transcript. */
export interface AgentMeta {
  readonly type: string | null;
  readonly name: string | null;
  readonly title: string | null;
  readonly model: string | null;
  readonly toolUseId: string | null;
  readonly parentAgentId: string | null;
  readonly directory: string | null;
}

const metaSchema = z.object({
  agentType: text,
  name: text,
  description: text,
  model: text,
  toolUseId: text,
  parentAgentId: text,
  worktreePath: text,
});

export function parseAgentMeta(document: unknown, shown: ShownText): AgentMeta | null {
  const { data } = metaSchema.safeParse(document);
  if (data === undefined) return null;
  return {
    type: toName(data.agentType),
    name: toName(data.name),
    title: toTitle(data.description, shown),
    model: toName(data.model),
    toolUseId: data.toolUseId,
    parentAgentId: data.parentAgentId,
    directory: data.worktreePath,
  };
}

/** Entry of the register of live sessions. Claude Code replaces it on each change, and leaves it behind when it crashes. */
export interface SessionProcess {
  readonly pid: number;
  readonly sessionId: string;
  /** Start of the process in the unit of the system. Null in old releases. */
  readonly processStart: string | null;
  readonly directory: string | null;
  /** Name that a person gave. */
  readonly name: string | null;
  /** Name that Claude Code derived, perhaps from the prompt. Null unless titles are shown. */
  readonly title: string | null;
  readonly startedAt: string | null;
  readonly status: 'busy' | 'idle' | 'waiting' | null;
  readonly waitReason: ObservedWaitReason | null;
  readonly statusAt: string | null;
}

const processSchema = z.object({
  sessionId: z.string().min(1),
  procStart: z
    .union([z.string(), z.number().transform(String)])
    .nullable()
    .catch(null),
  cwd: text,
  name: text,
  nameSource: text,
  startedAt: epochTime,
  status: z.enum(['busy', 'idle', 'waiting']).nullable().catch(null),
  waitingFor: text,
  updatedAt: epochTime,
  statusUpdatedAt: epochTime,
});

export function parseSessionProcess(pid: number, document: unknown, shown: ShownText): SessionProcess | null {
  const { data } = processSchema.safeParse(document);
  if (data === undefined) return null;
  const isGiven = data.nameSource === 'user';
  return {
    pid,
    sessionId: data.sessionId,
    processStart: data.procStart,
    directory: data.cwd,
    name: isGiven ? toName(data.name) : null,
    title: toTitle(data.name, shown),
    startedAt: data.startedAt,
    status: data.status,
    waitReason: data.status === 'waiting' ? toWaitReason(data.waitingFor) : null,
    statusAt: data.statusUpdatedAt ?? data.updatedAt,
  };
}

/** Converts the free text for the reason of a wait. */
export function toWaitReason(words: string | null): ObservedWaitReason {
  if (words === null) return 'other';
  if (words.startsWith('permission') || words.startsWith('approve') || words.startsWith('sandbox')) return 'permission';
  if (words.startsWith('plan')) return 'plan_approval';
  return words.startsWith('input') ? 'answer' : 'other';
}

/** State of a session in the background. */
export interface BackgroundJob {
  readonly sessionId: string;
  readonly state: 'working' | 'blocked' | 'done' | 'failed' | 'stopped' | null;
  readonly waitReason: ObservedWaitReason | null;
  readonly at: string | null;
}

const jobSchema = z.object({
  sessionId: z.string().min(1),
  state: z.enum(['working', 'blocked', 'done', 'failed', 'stopped']).nullable().catch(null),
  waitingFor: text,
  updatedAt: z.unknown().transform(parseIsoTime),
});

export function parseBackgroundJob(document: unknown): BackgroundJob | null {
  const { data } = jobSchema.safeParse(document);
  if (data === undefined) return null;
  const { sessionId, state, waitingFor, updatedAt } = data;
  return { sessionId, state, waitReason: state === 'blocked' ? toWaitReason(waitingFor) : null, at: updatedAt };
}

/** Team of agents with the session that leads it. */
export interface Team {
  readonly leadSessionId: string;
  readonly leadName: string;
  readonly createdAt: string | null;
}

const DEFAULT_LEAD_NAME = 'team-lead';

const teamSchema = z.object({ leadSessionId: z.string().min(1), leadAgentId: text, createdAt: epochTime });

export function parseTeam(document: unknown): Team | null {
  const { data } = teamSchema.safeParse(document);
  if (data === undefined) return null;
  const leadName = toName(data.leadAgentId?.split('@', 1)[0] ?? null) ?? DEFAULT_LEAD_NAME;
  return { leadSessionId: data.leadSessionId, leadName, createdAt: data.createdAt };
}

/** Message in the mailbox of a member of a team. */
export interface MailboxMessage extends TeamMessage {
  readonly isRead: boolean | null;
}

const MAX_MAILBOX_MESSAGES = 200;

export function parseMailbox(document: unknown, shown: ShownText): readonly MailboxMessage[] | null {
  if (!Array.isArray(document)) return null;
  return document.slice(-MAX_MAILBOX_MESSAGES).flatMap((entry: unknown) => {
    const from = textAt(entry, 'from');
    const body = textAt(entry, 'text');
    if (!isJsonObject(entry) || from === null || body === null) return [];
    const { read } = entry;
    const message = createTeamMessage(from, body, parseIsoTime(entry['timestamp']), shown);
    return [{ ...message, isRead: typeof read === 'boolean' ? read : null }];
  });
}

export function parseTaskFile(document: unknown, shown: ShownText): TranscriptTask | null {
  const id = isJsonObject(document) ? toTaskId(document) : null;
  if (id === null) return null;
  return {
    id,
    title: toTitle(textAt(document, 'subject'), shown),
    status: toTaskStatus(textAt(document, 'status')),
    owner: toName(textAt(document, 'owner')),
    blockedBy: toTaskIds(listAt(document, 'blockedBy')),
    createdAt: null,
    startedAt: null,
    endedAt: null,
    changedAt: null,
  };
}

export function parseTodoFile(document: unknown, shown: ShownText): readonly TranscriptTask[] | null {
  return Array.isArray(document) ? parseTodos(document, shown) : null;
}
