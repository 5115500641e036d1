export { createClaudeCodeSource } from './claude-code/claude-code-source.js';
export type { LogState, ProcessTable, ReadLog, SessionEntries, Source, SourceSessions } from './source.js';
