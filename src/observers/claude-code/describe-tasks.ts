import type { ObservedMessage, ObservedTask } from '../../observer-format/index.js';
import { hashText } from '../input/hash-text.js';
import { subagentId } from './describe-agents.js';
import type { MailboxMessage } from './documents.js';
import type { SessionFiles } from './session-files.js';
import type { TeamMessage } from './teammate-message.js';
import type { TranscriptTask } from './transcript-state.js';

/** Returns the ids of the members of a session's team by their names. Also finds agents by their own ids. */
export function memberIds({ sessionId, metas, subagents, team }: SessionFiles): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  for (const agentId of subagents.keys()) {
    const name = metas.get(agentId)?.name ?? null;
    ids.set(agentId, subagentId(sessionId, agentId));
    if (name !== null) ids.set(name, subagentId(sessionId, agentId));
  }
  ids.set(team?.team.leadName ?? 'team-lead', sessionId);
  return ids;
}

/** Describes the tasks and todos of one session. Files are better than what the transcripts say about the same tasks. */
export function describeTasks(files: SessionFiles): readonly ObservedTask[] {
  const { sessionId, main, subagents, taskFiles, todoFiles } = files;
  const members = memberIds(files);
  const recorded = mergeTasks([main, ...subagents.values()].map((transcript) => transcript?.state.tasks ?? new Map()));
  const list = taskFiles?.list ?? sessionId;
  const tasks = taskFiles === null ? [...recorded.values()] : taskFiles.tasks.map((task) => withTimes(task, recorded));
  const open = new Set(tasks.filter(({ status }) => status !== 'completed').map(({ id }) => id));
  const described = tasks.map((task): ObservedTask => {
    const owner = task.owner === null ? undefined : members.get(task.owner);
    const isBlocked = task.status === 'pending' && task.blockedBy.some((id) => open.has(id));
    return {
      ...describeTask(task, sessionId, `${list}/${task.id}`),
      status: isBlocked ? 'blocked' : task.status,
      agentIds: owner === undefined ? [] : [owner],
      dependsOnIds: task.blockedBy.map((id) => `${list}/${id}`),
    };
  });
  const todos = [null, ...subagents.keys()].flatMap((agentId) => {
    const transcript = agentId === null ? main : subagents.get(agentId);
    const fromRecords = transcript?.state.todos ?? [];
    const agent = agentId === null ? sessionId : subagentId(sessionId, agentId);
    return (fromRecords.length > 0 ? fromRecords : (todoFiles.get(agentId) ?? [])).map((todo) => ({
      ...describeTask(todo, sessionId, `${agent}/${todo.id}`),
      agentIds: [agent],
    }));
  });
  return [...described, ...todos];
}

/** Describes the messages between the members of a session's team, oldest first. */
export function describeMessages(files: SessionFiles): readonly ObservedMessage[] {
  const { sessionId, main, subagents, metas, team } = files;
  const members = memberIds(files);
  const inboxes = new Map<
    string,
    { readonly received: readonly TeamMessage[]; readonly mailbox: readonly MailboxMessage[] }
  >();
  const leadName = team?.team.leadName ?? 'team-lead';
  inboxes.set(sessionId, { received: main?.state.messages ?? [], mailbox: team?.inboxes.get(leadName) ?? [] });
  for (const [agentId, { state }] of subagents) {
    const name = metas.get(agentId)?.name ?? null;
    const mailbox = name === null ? [] : (team?.inboxes.get(name) ?? []);
    inboxes.set(subagentId(sessionId, agentId), { received: state.messages, mailbox });
  }
  const messages = [...inboxes].flatMap(([recipient, { received, mailbox }]) =>
    mergeMessages(received, mailbox).flatMap(({ occurrence, message, isRead }): ObservedMessage[] => {
      const { from, sentAt, kind, text, hash } = message;
      if (sentAt === null) return [];
      return [
        {
          id: `${sessionId}/${hashText([from, recipient, hash, occurrence].join('\n')).toString(36)}`,
          swarmId: sessionId,
          fromAgentId: members.get(from) ?? null,
          toAgentIds: [recipient],
          sentAt,
          kind,
          isRead,
          text,
        },
      ];
    }),
  );
  return messages.sort((a, b) => (a.sentAt === b.sentAt ? 0 : a.sentAt < b.sentAt ? -1 : 1));
}

interface MergedMessage {
  readonly message: TeamMessage;
  /** Number of earlier messages with the same sender and text. */
  readonly occurrence: number;
  readonly isRead: boolean | null;
}

/** Merges the messages that a transcript has received with those of the mailbox, which contains the same ones and newer ones. */
function mergeMessages(received: readonly TeamMessage[], mailbox: readonly MailboxMessage[]): readonly MergedMessage[] {
  const merged = new Map<string, MergedMessage>();
  const add = (messages: readonly TeamMessage[], isRead: (message: TeamMessage) => boolean | null): void => {
    const counts = new Map<string, number>();
    for (const message of messages) {
      const same = `${message.from} ${message.hash}`;
      const occurrence = counts.get(same) ?? 0;
      counts.set(same, occurrence + 1);
      merged.set(`${same} ${occurrence}`, { message, occurrence, isRead: isRead(message) });
    }
  };
  const reads = new Map(mailbox.map((message) => [message as TeamMessage, message.isRead])); // keyed by identity
  add(mailbox, (message) => reads.get(message) ?? null);
  add(received, () => true);
  return [...merged.values()];
}

function describeTask(task: TranscriptTask, swarmId: string, id: string): ObservedTask {
  const { title, status, createdAt, startedAt, endedAt } = task;
  return { id, swarmId, title, status, agentIds: [], dependsOnIds: [], createdAt, startedAt, endedAt };
}

/** Merges what several transcripts say about the same tasks. The newest change wins. */
function mergeTasks(lists: readonly ReadonlyMap<string, TranscriptTask>[]): ReadonlyMap<string, TranscriptTask> {
  const merged = new Map<string, TranscriptTask>();
  for (const tasks of lists) {
    for (const [id, task] of tasks) {
      const known = merged.get(id);
      if (known === undefined) {
        merged.set(id, task);
        continue;
      }
      const [older, newer] = (known.changedAt ?? '') <= (task.changedAt ?? '') ? [known, task] : [task, known];
      merged.set(id, {
        ...newer,
        title: newer.title ?? older.title,
        owner: newer.owner ?? older.owner,
        blockedBy: [...new Set([...older.blockedBy, ...newer.blockedBy])],
        createdAt: older.createdAt ?? newer.createdAt,
        startedAt: older.startedAt ?? newer.startedAt,
      });
    }
  }
  return merged;
}

function withTimes(task: TranscriptTask, recorded: ReadonlyMap<string, TranscriptTask>): TranscriptTask {
  const known = recorded.get(task.id);
  if (known === undefined) return task;
  const { createdAt, startedAt, endedAt, changedAt } = known;
  return {
    ...task,
    createdAt,
    startedAt: task.status === 'pending' ? null : startedAt,
    endedAt: task.status === 'completed' ? endedAt : null,
    changedAt,
  };
}
