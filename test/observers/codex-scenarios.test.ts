import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ObservedAgent } from '../../src/observer-format/index.js';
import { createCodexSource, type Source, PriceList } from '../../src/observers/index.js';
import { OBSERVER_FIXTURES, ScenarioFiles, SourceReader } from './claude-scenario.js';
import { agentsOf, ObservedDirectory } from './observed-directory.js';

const SCENARIOS = ['aborted', 'approval-wait', 'child-thread', 'paginated-error', 'question', 'token-count'];
const NOW_MS = Date.parse('2026-11-30T00:00:00.000Z');

interface ExpectedThread {
  readonly id: string;
  readonly parent: string | null;
  readonly name: string;
  readonly type: string | null;
  readonly model: string;
  readonly status: string;
  readonly waitingFor: string | null;
  readonly currentTool: { readonly name: string } | null;
  readonly tokens: object;
  readonly contextUsed: number;
  readonly contextWindow: number;
  readonly lastActivity: string;
  readonly error?: string;
}

const source = (): Source => createCodexSource({ shownText: 'titles', prices: new PriceList() });
const filesOf = (name: string): ScenarioFiles => new ScenarioFiles(join(OBSERVER_FIXTURES, 'codex', name, 'codex'));

function expectedOf(name: string) {
  const text = readFileSync(join(OBSERVER_FIXTURES, 'codex', name, 'expected.json'), 'utf8');
  return JSON.parse(text) as {
    readonly agents: readonly ExpectedThread[];
    readonly stages?: readonly { readonly afterLine: number; readonly agents: readonly Partial<ExpectedThread>[] }[];
  }; // fixture of a known shape
}

function readScenario(name: string): SourceReader {
  const reader = new SourceReader(source(), NOW_MS);
  reader.readAll(filesOf(name));
  return reader;
}

/** Converts an agent to the words of `expected.json`. */
function inWords(agent: ObservedAgent) {
  const { activity, usage, context } = agent;
  return {
    id: agent.id,
    parent: agent.parentId,
    name: agent.name,
    type: agent.type,
    model: agent.model,
    status: agent.status,
    waitingFor: activity?.waitingFor ?? null,
    currentTool: activity?.label == null ? null : { name: activity.label },
    tokens: {
      input: usage?.inputTokens,
      output: usage?.outputTokens,
      cacheCreation: usage?.cacheWriteTokens,
      cacheRead: usage?.cacheReadTokens,
    },
    contextUsed: context?.usedTokens,
    contextWindow: context?.limitTokens,
    lastActivity: agent.lastActiveAt,
    error: agent.error,
  };
}

function comparable({
  id,
  parent,
  name,
  type,
  model,
  status,
  waitingFor,
  currentTool,
  tokens,
  contextUsed,
  contextWindow,
  lastActivity,
  error,
}: ExpectedThread) {
  return {
    id,
    parent,
    name,
    // The format says unknown for no type.
    type: type ?? 'unknown',
    model,
    status,
    waitingFor: waitingFor?.startsWith('approval') === true ? 'permission' : waitingFor,
    currentTool: currentTool === null ? null : { name: currentTool.name },
    tokens,
    contextUsed,
    contextWindow,
    lastActivity,
    error: error ?? null,
  };
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);

describe.each(SCENARIOS)('scenario %s', (name) => {
  const expected = expectedOf(name).agents.map(comparable).sort(byId);

  test('is described by CodexSource', () => {
    expect([...readScenario(name).agents().values()].map(inWords).sort(byId)).toEqual(expected);
  });

  test('for any arrival of its bytes and any restarts: the agents are the expected ones in the end', async () => {
    const files = filesOf(name);
    const contents = files.paths.map((path) => readFileSync(join(files.root, path)));
    const cuts = fc.array(
      fc.record({ file: fc.nat(5), count: fc.integer({ min: 1, max: 3_000 }), restarts: fc.boolean() }),
      { maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(cuts, async (steps) => {
        await using directory = await ObservedDirectory.create();
        const written = contents.map(() => 0);
        const append = async (file: number, count: number): Promise<void> => {
          const bytes = (contents[file] ?? Buffer.alloc(0)).subarray(written[file] ?? 0, (written[file] ?? 0) + count);
          written[file] = (written[file] ?? 0) + bytes.length;
          if (bytes.length > 0) await directory.append(files.paths[file] ?? '', bytes);
        };
        let observer = directory.observe({ source: source() });
        for (const { file, count, restarts } of steps) {
          await append(file % contents.length, count);
          await observer.settled();
          if (!restarts) continue;
          await observer[Symbol.asyncDispose]();
          observer = directory.observe({ source: source() });
        }
        for (const file of contents.keys()) await append(file, Infinity);
        await observer.completed();
        const agents = [...agentsOf(observer).values()];
        await observer[Symbol.asyncDispose]();

        expect(agents.map(inWords).sort(byId)).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });
});

test('CodexSource describes the scenario token-count after its first turn', () => {
  const files = filesOf('token-count');
  const [stage] = expectedOf('token-count').stages ?? [];
  const reader = new SourceReader(source(), NOW_MS);
  for (const path of files.paths) reader.append(path, files.lines(path).slice(0, stage?.afterLine));
  const [agent] = [...reader.agents().values()];

  expect(agent === undefined ? null : inWords(agent)).toMatchObject({ ...stage?.agents[0] });
});

test('CodexSource reports the plan of a thread as its tasks', () => {
  const reader = readScenario('token-count');
  const [entries] = [...reader.sessions.takeChanges(NOW_MS).values()];

  expect(entries?.tasks).toMatchObject([
    { title: 'Enable incremental builds', status: 'in_progress' },
    { title: 'Measure', status: 'pending' },
  ]);
});

test('CodexSource reports messages between threads', () => {
  const reader = readScenario('child-thread');
  const [entries] = [...reader.sessions.takeChanges(NOW_MS).values()];

  expect(
    entries?.messages.map(({ fromAgentId, toAgentIds, text }) => ({ fromAgentId, toAgentIds, text })),
  ).toContainEqual({
    fromAgentId: '01a0beaf-fe00-7107-b198-1e13a429dc4c',
    toAgentIds: ['01a0beb0-0a1c-7793-bc97-9ef88c5e57a3'],
    text: null,
  });
});

test('CodexSource knows a wait for approval for certain from hooks', () => {
  const reader = readScenario('approval-wait');
  expect([...reader.agents().values()]).toMatchObject([
    { status: 'waiting', statusInferred: true, activity: { inferred: true } },
  ]);
  const hooks = readFileSync(join(OBSERVER_FIXTURES, 'codex/approval-wait/hooks.jsonl'), 'utf8').split('\n');
  for (const line of hooks.filter((text) => text !== '')) {
    const { at, payload } = JSON.parse(line) as { readonly at: string; readonly payload: unknown }; // fixture
    reader.sessions.applyHook(payload, at);
  }

  expect([...reader.agents().values()]).toMatchObject([
    {
      status: 'waiting',
      statusInferred: false,
      activity: { waitingFor: 'permission', label: 'Bash', inferred: false },
    },
  ]);
});

describe('hooks of CodexSource', () => {
  interface ExpectedHook {
    readonly agent?: string;
    readonly status: string;
    readonly currentTool?: string | null;
    readonly waitingFor?: string;
    readonly parent?: string;
    readonly type?: string;
  }
  const hooks = join(OBSERVER_FIXTURES, 'hooks');
  const { codex } = JSON.parse(readFileSync(join(hooks, 'expected.json'), 'utf8')) as {
    readonly codex: Readonly<Record<string, ExpectedHook>>;
  }; // fixture of a known shape

  test.each(Object.entries(codex))('say what %s means', (name, expected) => {
    const file = name === 'notify' ? 'notify-argument' : name;
    const event = JSON.parse(readFileSync(join(hooks, 'codex', `${file}.json`), 'utf8')) as {
      readonly session_id?: string;
      readonly agent_id?: string;
    }; // fixture
    const reader = new SourceReader(source(), NOW_MS);
    reader.sessions.applyHook(event, '2026-11-29T23:59:59.000Z');
    const agents = [...reader.agents().values()];
    const agent = agents.find(({ id }) => id === (expected.agent ?? event.agent_id ?? id));

    expect(agent).toMatchObject({
      status: expected.status,
      ...(expected.parent !== undefined && { type: expected.type }),
    });
    if (expected.currentTool !== undefined)
      expect(agent?.activity?.kind === 'tool' ? agent.activity.label : null).toBe(expected.currentTool);
    if (expected.waitingFor !== undefined)
      expect(`${agent?.activity?.waitingFor}: ${agent?.activity?.label}`).toBe(expected.waitingFor);
  });
});

test('CodexSource describes a recorded session with a subagent', () => {
  const directory = join(OBSERVER_FIXTURES, 'captures/codex-rollouts');
  const reader = new SourceReader(source(), NOW_MS);
  for (const name of readdirSync(directory)) {
    reader.append(`sessions/2026/11/29/${name}`, readFileSync(join(directory, name), 'utf8').split('\n'));
  }
  const agents = [...reader.agents().values()].sort(byId);

  expect(agents).toMatchObject([
    { id: '01a224f2-0a55-7e30-af87-3b127694902a', parentId: null, name: 'proj', status: 'idle', model: 'mock-model' },
    {
      id: '01a224f3-3944-71c0-a248-c4e05ed6ac8d',
      parentId: null,
      name: 'proj',
      status: 'idle',
      usage: { inputTokens: 360, outputTokens: 80, cacheReadTokens: 40 },
    },
    {
      id: '01a224f3-56f7-7f00-98e8-de01fdcc267b',
      parentId: '01a224f3-3944-71c0-a248-c4e05ed6ac8d',
      type: 'explorer',
      status: 'idle',
      usage: { outputTokens: 40 },
    },
  ]);
});

test('CodexSource ignores the history that a subagent has copied, also before its own first turn', () => {
  const files = filesOf('child-thread');
  const child = files.paths.find((path) => path.includes('01a0beb0-0a1c')) ?? '';
  const copied = files.lines(child).slice(0, 11);
  const withoutNumbers = copied.map((line) =>
    line.replace(/"ordinal":\d+,/, '').replace(/,"subagent_history_start_ordinal":"?\d+"?/, ''),
  );
  for (const lines of [copied, withoutNumbers]) {
    const reader = new SourceReader(source(), NOW_MS);
    reader.append(child, lines);
    const [agent] = [...reader.agents().values()];

    expect(agent).toMatchObject({ name: 'count_b', status: 'idle', activity: null, usage: { totalTokens: 0 } });
  }
});

test('CodexSource counts a response once', () => {
  const files = filesOf('paginated-error');
  const [path = ''] = files.paths;
  const reader = new SourceReader(source(), NOW_MS);
  const lines = files.lines(path);
  const repeated = lines.filter((line) => line.includes('token_usage_record'));
  reader.append(path, [...lines, ...repeated]);

  expect([...reader.agents().values()]).toMatchObject([{ usage: { inputTokens: 6_700, outputTokens: 200 } }]);
});
