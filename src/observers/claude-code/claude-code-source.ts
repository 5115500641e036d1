import type { Source, SourceOptions } from '../source.js';
import { type ClaudeLogState, ClaudeSessions } from './claude-sessions.js';
import { classifyFile, FILE_PATTERNS, isLineFile } from './file-kinds.js';
import { reduceRecord } from './reduce-record.js';
import { createTranscriptState, NEW_TURN } from './transcript-state.js';
import { createWorkflowJournal, reduceJournal } from './workflow-journal.js';

/** Version of `TranscriptState`. */
const STATE_VERSION = 1;

/** Creates the source of Claude Code. */
export function createClaudeCodeSource({ shownText, prices }: SourceOptions): Source {
  return {
    name: 'claude-code',
    stateVersion: STATE_VERSION,
    patterns: FILE_PATTERNS,
    classify: (path) => {
      const file = classifyFile(path);
      if (file === null) return null;
      const session = 'sessionId' in file ? file.sessionId : file.kind === 'task' ? file.list : null;
      return { read: isLineFile(file) ? 'log' : 'document', session };
    },
    createState: (path): ClaudeLogState =>
      classifyFile(path)?.kind === 'journal'
        ? { kind: 'journal', journal: createWorkflowJournal() }
        : { kind: 'transcript', transcript: createTranscriptState() },
    reduce: (state, record) => {
      const log = state as ClaudeLogState; // made by `createState`
      if (log.kind === 'journal') reduceJournal(log.journal, record);
      else reduceRecord(log.transcript, record, shownText);
    },
    skipRecords: (state) => {
      const log = state as ClaudeLogState; // made by `createState`
      if (log.kind === 'journal') return;
      log.transcript.turn = NEW_TURN;
      log.transcript.openCalls.clear();
    },
    createSessions: () => new ClaudeSessions({ shownText, estimateCost: ({ tokens }) => prices.estimate(tokens) }),
  };
}
