import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ObservedAgent } from '../../src/observer-format/index.js';
import {
  createClaudeCodeSource,
  type ProcessTable,
  type Source,
  type SourceSessions,
  PriceList,
} from '../../src/observers/index.js';

export const OBSERVER_FIXTURES = fileURLToPath(new URL('../fixtures/observers', import.meta.url));

/** Agent in the words of `expected.json`. */
export interface ExpectedAgent {
  readonly id: string;
  readonly parent?: string | null;
  readonly name?: string;
  readonly type?: string;
  readonly model?: string;
  readonly status?: string;
  readonly waitingFor?: string | null;
  readonly currentTool?: { readonly name: string } | null;
  readonly tokens?: {
    readonly input: number;
    readonly output: number;
    readonly cacheCreation: number;
    readonly cacheRead: number;
  };
  readonly contextUsed?: number;
  readonly lastActivity?: string;
  readonly error?: string;
  readonly pendingAgents?: number;
  readonly inferred?: boolean;
  readonly note?: string;
  readonly cwd?: string;
  readonly gitBranch?: string;
  readonly teamName?: string;
  readonly forkOf?: string;
}

export interface Expected {
  readonly agents: readonly ExpectedAgent[];
  readonly stages?: readonly { readonly afterLine: number; readonly agents: readonly ExpectedAgent[] }[];
}

/** Process table in which all processes run. */
export const ALL_RUNNING: ProcessTable = { isRunning: () => true };

/** Files of one scenario, by their paths below the configuration directory. */
export class ScenarioFiles {
  readonly root: string;
  readonly paths: readonly string[];

  constructor(root: string) {
    this.root = root;
    this.paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(root, path)).isFile())
      .map((path) => path.split(sep).join('/'))
      .sort();
  }

  static of(source: 'claude-code', name: string): ScenarioFiles {
    return new ScenarioFiles(join(OBSERVER_FIXTURES, source, name));
  }

  text(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  expected(): Expected {
    return JSON.parse(this.text('expected.json')) as Expected; // fixture of a known shape
  }

  lines(path: string): readonly string[] {
    return this.text(path).split('\n');
  }

  relative(path: string): string {
    return relative(this.root, path);
  }
}

/** Applies files to the sessions of a source without following them. */
export class SourceReader {
  readonly source: Source;
  readonly sessions: SourceSessions;
  readonly #states = new Map<string, object>();
  readonly #agents = new Map<string, readonly ObservedAgent[]>();
  readonly nowMs: number;

  constructor(
    source: Source = createClaudeCodeSource({ shownText: 'titles', prices: new PriceList() }),
    nowMs = Date.parse('2026-11-30T00:00:00.000Z'),
  ) {
    this.source = source;
    this.sessions = source.createSessions();
    this.sessions.checkProcesses(ALL_RUNNING);
    this.nowMs = nowMs;
  }

  /** Applies lines of a log file. Broken ones are skipped. */
  append(path: string, lines: readonly string[]): void {
    const state = this.#states.get(path) ?? this.source.createState(path);
    this.#states.set(path, state);
    for (const line of lines) {
      const record = parseLine(line);
      if (record !== undefined) this.source.reduce(state, record);
    }
    this.sessions.setLog(path, { state, isComplete: true, modifiedAtMs: this.nowMs, createdAtMs: 0 });
  }

  /** Forgets what was read of a file, as a reader that begins again. */
  restart(path: string): void {
    this.#states.delete(path);
  }

  /** Applies all files of a scenario that the source reads. */
  readAll(files: ScenarioFiles, accepts: (path: string) => boolean = () => true): void {
    for (const path of files.paths) {
      const use = this.source.classify(path);
      if (use === null || !accepts(path)) continue;
      if (use.read === 'log') this.append(path, files.lines(path));
      else this.sessions.setDocument(path, JSON.parse(files.text(path)));
    }
  }

  /** Returns all agents by their ids. */
  agents(): ReadonlyMap<string, ObservedAgent> {
    for (const [session, entries] of this.sessions.takeChanges(this.nowMs)) {
      this.#agents.set(session, entries?.agents ?? []);
    }
    return new Map([...this.#agents.values()].flat().map((agent) => [agent.id, agent]));
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Converts an agent to the words of `expected.json`, as far as the expected agent says something. */
export function inExpectedWords(agent: ObservedAgent, expected: ExpectedAgent): ExpectedAgent {
  const { activity, usage } = agent;
  const words: Required<Omit<ExpectedAgent, 'currentTool' | 'note' | 'cwd' | 'gitBranch' | 'teamName' | 'forkOf'>> &
    Pick<ExpectedAgent, 'currentTool'> = {
    id: agent.id,
    parent: agent.parentId,
    name: agent.name,
    type: agent.type,
    model: agent.model ?? 'none',
    status: agent.status,
    waitingFor:
      activity?.waitingFor == null
        ? null
        : [activity.waitingFor, activity.label].filter((part) => part !== null).join(': '),
    currentTool: activity?.label != null && activity.kind !== 'model' ? { name: activity.label } : null,
    tokens: {
      input: usage?.inputTokens ?? 0,
      output: usage?.outputTokens ?? 0,
      cacheCreation: usage?.cacheWriteTokens ?? 0,
      cacheRead: usage?.cacheReadTokens ?? 0,
    },
    contextUsed: agent.context?.usedTokens ?? 0,
    lastActivity: agent.lastActiveAt ?? '',
    error: agent.error ?? '',
    pendingAgents: agent.backgroundAgents ?? 0,
    inferred: agent.statusInferred,
  };
  // Object.fromEntries drops the types of the keys, which are those of the expected agent.
  return Object.fromEntries(
    Object.keys(expected).map((key) => [key, words[key as keyof typeof words]]),
  ) as unknown as ExpectedAgent;
}

/** Removes what only documents the fixture, and the ids of tool calls, which observers do not report. */
export function comparable(expected: ExpectedAgent): ExpectedAgent {
  const { note: _note, cwd: _cwd, gitBranch: _branch, teamName: _team, forkOf: _fork, currentTool, ...rest } = expected;
  if (currentTool === undefined) return rest;
  return { ...rest, currentTool: currentTool === null ? null : { name: currentTool.name } };
}
