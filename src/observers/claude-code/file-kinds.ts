/** Meaning of a file below the configuration directory, from its path. */
export type FileKind =
  | { readonly kind: 'session'; readonly sessionId: string }
  /** `sessionId` is null for the place of old releases, where only the records name the session. */
  | {
      readonly kind: 'subagent';
      readonly sessionId: string | null;
      readonly agentId: string;
      readonly runId: string | null;
    }
  | { readonly kind: 'meta'; readonly sessionId: string; readonly agentId: string }
  | { readonly kind: 'journal'; readonly sessionId: string; readonly runId: string }
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'job' }
  | { readonly kind: 'team'; readonly team: string }
  | { readonly kind: 'mailbox'; readonly team: string; readonly member: string }
  | { readonly kind: 'task'; readonly list: string }
  | { readonly kind: 'todos'; readonly sessionId: string; readonly agentId: string | null };

/**
 * Patterns of the files that are read, relative to the configuration directory. A star stands for one name. Nothing else is
 * opened, in particular no credentials and no keys.
 */
export const FILE_PATTERNS: readonly string[] = [
  'projects/*/*.jsonl',
  'projects/*/*/subagents/*.jsonl',
  'projects/*/*/subagents/*.meta.json',
  'projects/*/*/subagents/workflows/*/*.jsonl',
  'projects/*/*/subagents/workflows/*/*.meta.json',
  'sessions/*.json',
  'jobs/*/state.json',
  'teams/*/config.json',
  'teams/*/inboxes/*.json',
  'tasks/*/*.json',
  'todos/*.json',
];

const SESSION_FILE = /^([0-9A-Za-z][0-9A-Za-z_-]{0,127})\.jsonl$/;
const AGENT_FILE = /^agent-([0-9A-Za-z][0-9A-Za-z_.@-]{0,127})\.(jsonl|meta\.json)$/;
const TODO_FILE = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-agent-([0-9A-Za-z_-]{1,128}))?\.json$/;
const PROCESS_FILE = /^(\d{1,10})\.json$/;
const TASK_FILE = /^\d{1,9}\.json$/;

/** Helpers of Claude Code whose transcripts lie beside those of agents. */
const HELPERS = /^(?:acompact-|aside_question)/;

/** Classifies a file by its path relative to the configuration directory, with slashes. Null if the file is of no use. */
export function classifyFile(path: string): FileKind | null {
  const [top = '', ...names] = path.split('/');
  const name = names.at(-1) ?? '';
  switch (top) {
    case 'projects':
      return classifyTranscript(names.slice(1), name);
    case 'sessions': {
      const pid = names.length === 1 ? PROCESS_FILE.exec(name)?.[1] : undefined;
      return pid === undefined ? null : { kind: 'process', pid: Number(pid) };
    }
    case 'jobs':
      return name === 'state.json' ? { kind: 'job' } : null;
    case 'teams': {
      const [team = '', folder] = names;
      if (names.length === 2 && name === 'config.json') return { kind: 'team', team };
      return names.length === 3 && folder === 'inboxes'
        ? { kind: 'mailbox', team, member: name.slice(0, -'.json'.length) }
        : null;
    }
    case 'tasks':
      return names.length === 2 && TASK_FILE.test(name) ? { kind: 'task', list: names[0] ?? '' } : null;
    case 'todos': {
      const [, sessionId, agentId] = TODO_FILE.exec(name) ?? [];
      return sessionId === undefined
        ? null
        : { kind: 'todos', sessionId, agentId: agentId === undefined || agentId === sessionId ? null : agentId };
    }
    default:
      return null;
  }
}

/** @param names path below the folder of the project */
function classifyTranscript(names: readonly string[], name: string): FileKind | null {
  const [, agentId, extension] = AGENT_FILE.exec(name) ?? [];
  const isHelper = agentId !== undefined && HELPERS.test(agentId);
  if (isHelper) return null;
  if (names.length === 1) {
    if (agentId !== undefined && extension === 'jsonl')
      return { kind: 'subagent', sessionId: null, agentId, runId: null };
    const sessionId = SESSION_FILE.exec(name)?.[1];
    return sessionId === undefined || HELPERS.test(sessionId) ? null : { kind: 'session', sessionId };
  }
  const [sessionId = '', , workflows, runId = null] = names;
  const run = workflows === 'workflows' && names.length === 5 ? runId : null;
  if (run !== null && name === 'journal.jsonl') return { kind: 'journal', sessionId, runId: run };
  if (agentId === undefined) return null;
  return extension === 'jsonl'
    ? { kind: 'subagent', sessionId, agentId, runId: run }
    : { kind: 'meta', sessionId, agentId };
}

/** Returns whether a file grows by lines. Other files are replaced as a whole. */
export function isLineFile({ kind }: FileKind): boolean {
  return kind === 'session' || kind === 'subagent' || kind === 'journal';
}
