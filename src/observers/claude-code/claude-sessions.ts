import type { ObservedSwarm } from '../../observer-format/index.js';
import type { ShownText } from '../input/shown-text.js';
import type { ProcessTable, ReadLog, SessionEntries, SourceSessions } from '../source.js';
import {
  type DescribeOptions,
  describeAgents,
  sessionDirectory,
  SILENCE_MS,
  SILENCE_WITHOUT_REGISTER_MS,
} from './describe-agents.js';
import { describeMessages, describeTasks } from './describe-tasks.js';
import {
  type MailboxMessage,
  parseAgentMeta,
  parseBackgroundJob,
  parseMailbox,
  parseSessionProcess,
  parseTaskFile,
  parseTeam,
  parseTodoFile,
  type SessionProcess,
  type Team,
} from './documents.js';
import { classifyFile, type FileKind } from './file-kinds.js';
import { hookSessionId, MAX_HOOK_SESSIONS, reduceHook } from '../agents/hook-state.js';
import { processKey } from '../../shared/index.js';
import { directoryKeyOf } from '../agents/directory-key.js';
import { addBounded } from '../input/bounded-map.js';
import type { SessionFiles, SessionTeam, SubagentTranscript, Transcript } from './session-files.js';
import {
  createSessionRecord,
  isEmptyRecord,
  newestFile,
  type SessionRecord,
  type TranscriptFile,
} from './session-record.js';
import { TokenShares } from './token-shares.js';
import type { TranscriptState, TranscriptTask } from './transcript-state.js';
import type { WorkflowJournal } from './workflow-journal.js';

/** State of a log file of Claude Code. */
export type ClaudeLogState =
  | { readonly kind: 'transcript'; readonly transcript: TranscriptState }
  | { readonly kind: 'journal'; readonly journal: WorkflowJournal };

export interface ClaudeSessionsOptions {
  readonly shownText: ShownText;
  readonly estimateCost: DescribeOptions['estimateCost'];
}

interface TeamRecord {
  team: Team | null;
  readonly inboxes: Map<string, readonly MailboxMessage[]>;
}

/** Sessions of Claude Code with their subagents, teams and tasks. */
export class ClaudeSessions implements SourceSessions {
  readonly #options: ClaudeSessionsOptions;
  readonly #sessions = new Map<string, SessionRecord>();
  readonly #teams = new Map<string, TeamRecord>();
  readonly #taskLists = new Map<string, Map<string, TranscriptTask>>();
  readonly #shares = new TokenShares();
  /** Session of each transcript, process and job, by path. */
  readonly #sessionOf = new Map<string, string>();
  readonly #changed = new Set<string>();
  #processes: ProcessTable | null = null;
  /** Sessions with events of hooks, the newest last. */
  readonly #hookSessions = new Set<string>();
  #hasRegister = false;

  constructor(options: ClaudeSessionsOptions) {
    this.#options = options;
  }

  get collisions(): number {
    let count = 0;
    for (const { mains, subagents } of this.#sessions.values()) {
      count += Math.max(0, mains.size - 1);
      for (const files of subagents.values()) count += Math.max(0, files.size - 1);
    }
    return count;
  }

  liveSessions(): ReadonlySet<string> {
    const live = new Set<string>();
    for (const { sessionId, runningPids } of this.#sessions.values()) if (runningPids.size > 0) live.add(sessionId);
    return live;
  }

  setLog(path: string, log: ReadLog): void {
    const file = classifyFile(path);
    // The follower returns the states that `createState` made for the path.
    const state = log.state as ClaudeLogState;
    if (file === null) return;
    if (file.kind === 'journal' && state.kind === 'journal') {
      this.#change(path, file.sessionId).journals.set(file.runId, state.journal);
    } else if ((file.kind === 'session' || file.kind === 'subagent') && state.kind === 'transcript') {
      this.#setTranscript(path, file, state.transcript, log);
    }
  }

  setDocument(path: string, document: unknown): boolean {
    const file = classifyFile(path);
    const { shownText } = this.#options;
    switch (file?.kind) {
      case 'meta':
        return this.#setPart(parseAgentMeta(document, shownText), (meta) =>
          this.#change(path, file.sessionId).metas.set(file.agentId, meta),
        );
      case 'process':
        return this.#setPart(parseSessionProcess(file.pid, document, shownText), (process) =>
          this.#setProcess(path, process),
        );
      case 'job':
        return this.#setPart(parseBackgroundJob(document), (job) =>
          this.#change(path, job.sessionId).jobs.set(path, job),
        );
      case 'todos':
        return this.#setPart(parseTodoFile(document, shownText), (todos) =>
          this.#change(path, file.sessionId).todos.set(file.agentId, todos),
        );
      case 'team':
        return this.#setPart(parseTeam(document), (team) => {
          this.#teamRecord(file.team).team = team;
          this.#changeTeam(file.team);
        });
      case 'mailbox':
        return this.#setPart(parseMailbox(document, shownText), (messages) => {
          this.#teamRecord(file.team).inboxes.set(file.member, messages);
          this.#changeTeam(file.team);
        });
      case 'task':
        return this.#setPart(parseTaskFile(document, shownText), (task) => {
          const list = this.#taskLists.get(file.list) ?? new Map<string, TranscriptTask>();
          this.#taskLists.set(file.list, list.set(path, task));
          this.#changeTasks(file.list);
        });
      case 'session':
      case 'subagent':
      case 'journal':
      case undefined:
        return false;
    }
  }

  removeFile(path: string): void {
    const file = classifyFile(path);
    if (file === null) return;
    this.#removePart(path, file);
    const sessionId = this.#sessionOf.get(path) ?? null;
    if (sessionId === null) return;
    this.#sessionOf.delete(path);
    this.#changed.add(sessionId);
  }

  applyHook(event: unknown, at: string): void {
    const sessionId = hookSessionId(event);
    if (sessionId === null) return;
    const session = this.#record(sessionId);
    reduceHook(session.hooks, event, at);
    this.#changed.add(sessionId);
    for (const oldest of addBounded(this.#hookSessions, sessionId, MAX_HOOK_SESSIONS)) {
      this.#record(oldest).hooks.clear();
      this.#changed.add(oldest);
    }
  }

  checkProcesses(processes: ProcessTable): void {
    this.#processes = processes;
    for (const session of this.#sessions.values()) {
      if (session.processes.size === 0 && session.runningPids.size === 0) continue;
      const before = session.runningPids;
      this.#checkProcesses(session);
      const { runningPids, sessionId } = session;
      const isSame = before.size === runningPids.size && [...before].every((pid) => runningPids.has(pid));
      if (!isSame) this.#changed.add(sessionId);
    }
  }

  checkSilence(nowMs: number): void {
    for (const session of this.#sessions.values()) {
      const main = newestFile(session.mains);
      const silenceMs = main === null || main.state.turn.phase === 'ended' ? 0 : nowMs - main.modifiedAtMs;
      const level = [SILENCE_MS, SILENCE_WITHOUT_REGISTER_MS].filter((limitMs) => silenceMs > limitMs).length;
      if (level !== session.silenceLevel) this.#changed.add(session.sessionId);
      session.silenceLevel = level;
    }
  }

  takeChanges(nowMs: number): ReadonlyMap<string, SessionEntries | null> {
    const changes = new Map<string, SessionEntries | null>();
    for (const sessionId of this.#changed) {
      const session = this.#sessions.get(sessionId);
      if (session === undefined) continue;
      if (isEmptyRecord(session)) {
        this.#sessions.delete(sessionId);
        changes.set(sessionId, null);
      } else {
        changes.set(sessionId, this.#describe(session, nowMs));
      }
    }
    this.#changed.clear();
    return changes;
  }

  #describe(session: SessionRecord, nowMs: number): SessionEntries {
    const files = this.#filesOf(session);
    const { shownText, estimateCost } = this.#options;
    const options = { nowMs, showsTitles: shownText !== 'none', hasRegister: this.#hasRegister, estimateCost };
    const agents = describeAgents(files, options);
    if (agents.length === 0) return { agents, swarms: [], tasks: [], messages: [] };
    const lead = agents.find(({ id }) => id === session.sessionId) ?? null;
    const swarm: ObservedSwarm = {
      id: session.sessionId,
      kind: files.team === null ? 'session' : 'team',
      name: files.team?.name ?? lead?.name ?? null,
      leadAgentId: lead?.id ?? null,
      processKey: files.process === null ? null : processKey(files.process.pid),
      directoryKey: directoryKeyOf(sessionDirectory(files)),
      createdAt: files.team?.team.createdAt ?? lead?.createdAt ?? null,
    };
    return { agents, swarms: [swarm], tasks: describeTasks(files), messages: describeMessages(files) };
  }

  #filesOf(session: SessionRecord): SessionFiles {
    const { sessionId, metas, journals, todos, hooks } = session;
    const main = newestFile(session.mains);
    const subagents = new Map<string, SubagentTranscript>();
    for (const [agentId, files] of session.subagents) {
      const file = newestFile(files);
      if (file !== null) subagents.set(agentId, { ...this.#toTranscript(file), runId: file.runId });
    }
    const team = this.#teamOf(sessionId);
    return {
      sessionId,
      main: main === null ? null : this.#toTranscript(main),
      subagents,
      metas,
      journals,
      process: newestProcess(session),
      registered: session.registered,
      hasExited: session.hasExited,
      job: [...session.jobs.values()].at(-1) ?? null,
      team,
      taskFiles: this.#taskFilesOf([team?.name ?? sessionId, sessionId]),
      todoFiles: todos,
      hooks: hooks.size === 0 ? null : hooks,
    };
  }

  #toTranscript({ path, state, isComplete, modifiedAtMs }: TranscriptFile): Transcript {
    return { state, isComplete, modifiedAtMs, tokens: this.#shares.tokensOf(path) };
  }

  #teamOf(sessionId: string): SessionTeam | null {
    for (const [name, { team, inboxes }] of this.#teams) {
      if (team?.leadSessionId === sessionId) return { name, team, inboxes };
    }
    return null;
  }

  #taskFilesOf(lists: readonly string[]): SessionFiles['taskFiles'] {
    for (const list of lists) {
      const tasks = this.#taskLists.get(list);
      if (tasks === undefined) continue;
      return { list, tasks: [...tasks.values()].sort((a, b) => Number(a.id) - Number(b.id)) };
    }
    return null;
  }

  #setTranscript(
    path: string,
    file: Extract<FileKind, { kind: 'session' | 'subagent' }>,
    state: TranscriptState,
    log: ReadLog,
  ): void {
    const sessionId = file.sessionId ?? state.sessionId;
    // The place of old releases does not name the session. A file without any record belongs to none.
    if (sessionId === null) return;
    const runId = file.kind === 'subagent' ? file.runId : null;
    const transcript: TranscriptFile = {
      path,
      state,
      runId,
      isComplete: log.isComplete,
      modifiedAtMs: log.modifiedAtMs,
    };
    const session = this.#change(path, sessionId);
    if (file.kind === 'session') session.mains.set(path, transcript);
    else {
      const files = session.subagents.get(file.agentId) ?? new Map<string, TranscriptFile>();
      session.subagents.set(file.agentId, files.set(path, transcript));
    }
    this.#shares.set(path, { state, createdAtMs: log.createdAtMs });
    this.#changeCopies(path);
  }

  #setProcess(path: string, process: SessionProcess): void {
    this.#hasRegister = true;
    const previous = this.#sessionOf.get(path);
    // `/clear` and `/resume` replace the session of a process.
    if (previous !== undefined && previous !== process.sessionId) this.removeFile(path);
    const session = this.#change(path, process.sessionId);
    session.processes.set(path, process);
    session.registered = { name: process.name, title: process.title };
    this.#checkProcesses(session);
  }

  #checkProcesses(session: SessionRecord): void {
    const running = [...session.processes.values()].filter(
      ({ pid, processStart }) => this.#processes?.isRunning(pid, processStart) === true,
    );
    const hadRunning = session.runningPids.size > 0;
    session.runningPids = new Set(running.map(({ pid }) => pid));
    if (running.length > 0) session.hasExited = false;
    else if (hadRunning) session.hasExited = true;
  }

  #removePart(path: string, file: FileKind): void {
    const sessionId = this.#sessionOf.get(path);
    const session = sessionId === undefined ? undefined : this.#sessions.get(sessionId);
    switch (file.kind) {
      case 'session':
      case 'subagent':
        this.#changeCopies(path);
        this.#shares.remove(path);
        session?.mains.delete(path);
        if (file.kind === 'subagent') {
          const files = session?.subagents.get(file.agentId);
          files?.delete(path);
          if (files?.size === 0) session?.subagents.delete(file.agentId);
        }
        break;
      case 'meta':
        session?.metas.delete(file.agentId);
        break;
      case 'journal':
        session?.journals.delete(file.runId);
        break;
      case 'process':
        session?.processes.delete(path);
        if (session !== undefined) this.#checkProcesses(session);
        break;
      case 'job':
        session?.jobs.delete(path);
        break;
      case 'todos':
        session?.todos.delete(file.agentId);
        break;
      case 'team':
        this.#changeTeam(file.team);
        this.#teams.delete(file.team);
        break;
      case 'mailbox':
        this.#teamRecord(file.team).inboxes.delete(file.member);
        this.#changeTeam(file.team);
        break;
      case 'task': {
        const list = this.#taskLists.get(file.list);
        list?.delete(path);
        if (list?.size === 0) this.#taskLists.delete(file.list);
        this.#changeTasks(file.list);
        break;
      }
    }
  }

  #setPart<T>(part: T | null, apply: (part: T) => unknown): boolean {
    if (part === null) return false;
    apply(part);
    return true;
  }

  /** Returns the record of a session that a file belongs to, and marks the session as changed. */
  #change(path: string, sessionId: string): SessionRecord {
    this.#sessionOf.set(path, sessionId);
    this.#changed.add(sessionId);
    return this.#record(sessionId);
  }

  #record(sessionId: string): SessionRecord {
    const known = this.#sessions.get(sessionId);
    if (known !== undefined) return known;
    const created = createSessionRecord(sessionId);
    this.#sessions.set(sessionId, created);
    return created;
  }

  #teamRecord(name: string): TeamRecord {
    const known = this.#teams.get(name);
    if (known !== undefined) return known;
    const created: TeamRecord = { team: null, inboxes: new Map() };
    this.#teams.set(name, created);
    return created;
  }

  #changeTeam(name: string): void {
    const leadSessionId = this.#teams.get(name)?.team?.leadSessionId;
    if (leadSessionId !== undefined) this.#changed.add(leadSessionId);
  }

  #changeTasks(list: string): void {
    if (this.#sessions.has(list)) this.#changed.add(list);
    this.#changeTeam(list);
  }

  /** Marks the sessions as changed whose share of common answers may have changed. */
  #changeCopies(path: string): void {
    for (const copy of this.#shares.copiesOf(path)) {
      const sessionId = this.#sessionOf.get(copy);
      if (sessionId !== undefined) this.#changed.add(sessionId);
    }
  }
}

/** Returns the running process of a session whose entry is the newest. */
function newestProcess({ processes, runningPids }: SessionRecord): SessionProcess | null {
  const running = [...processes.values()].filter(({ pid }) => runningPids.has(pid));
  return running.sort((a, b) => ((a.statusAt ?? '') < (b.statusAt ?? '') ? 1 : -1))[0] ?? null;
}
