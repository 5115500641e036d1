import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createClaudeCodeSource, type Observer, PriceList } from '../../src/observers/index.js';
import { ScenarioFiles, SourceReader } from './claude-scenario.js';
import { ObservedDirectory } from './observed-directory.js';

/** Texts of the scenarios that say what people and agents write, by the setting from which on they may be shown. */
const TEXTS = {
  titles: ['Review checkout security', 'Price filter and currency', 'Write the docs', 'Docs writer'],
  all: ['npm publish', '/home/dev/shop/README.md', 'First draft of the README is written.'],
  never: [
    'Find out why the price filter',
    'Check the checkout for security',
    'I look at the filter first',
    'export function filter',
    'p95 is 210 ms',
    'Fixed: the filter now compares',
    '# Shop',
  ],
} as const;

const SCENARIOS = ['permission-wait', 'session-tools', 'team', 'two-subagents'];

function listsOf({ lists, problems }: Pick<Observer, 'lists' | 'problems'>): string {
  const values = [lists.agents, lists.swarms, lists.tasks, lists.messages].map((list) => list.values());
  return JSON.stringify([values, problems()]);
}

async function observeAll(shownText: 'none' | 'titles' | 'all'): Promise<{ shown: string; stored: string }> {
  await using directory = await ObservedDirectory.create();
  for (const name of SCENARIOS) {
    await cp(ScenarioFiles.of('claude-code', name).root, directory.root, { recursive: true });
  }
  await using observer = directory.observe({ shownText });
  await observer.completed();
  const shown = listsOf({ lists: observer.lists, problems: () => observer.problems() });
  await observer[Symbol.asyncDispose]();
  const index = await readFile(directory.indexFile);
  return { shown, stored: index.toString('latin1') };
}

describe('Observer', () => {
  test.each([
    ['none', [], [...TEXTS.titles, ...TEXTS.all, ...TEXTS.never]],
    ['titles', TEXTS.titles, [...TEXTS.all, ...TEXTS.never]],
    ['all', [...TEXTS.titles, ...TEXTS.all], TEXTS.never],
  ] as const)('shows and stores texts as far as allowed when it shows %s', async (shownText, present, absent) => {
    const { shown, stored } = await observeAll(shownText);

    expect(present.filter((text) => !shown.includes(text))).toEqual([]);
    expect(absent.filter((text) => shown.includes(text))).toEqual([]);
    expect(absent.filter((text) => stored.includes(text))).toEqual([]);
  });

  test('names a session by its directory when its registered name is derived from the prompt', () => {
    const source = createClaudeCodeSource({ shownText: 'none', prices: new PriceList() });
    const reader = new SourceReader(source);
    const entry = { sessionId: 'abc', cwd: '/home/dev/shop', name: 'Sell the company', status: 'busy' };
    reader.sessions.setDocument('sessions/7.json', entry);

    expect(reader.agents().get('abc')).toMatchObject({ name: 'shop', title: null });
  });

  test('opens no keys, credentials, settings or histories', () => {
    const { source } = new SourceReader();
    const secrets = [
      '.credentials.json',
      'settings.json',
      'history.jsonl',
      'sessions/7.0123abcd.key',
      'daemon/roster.json',
      join('projects', 'a', 'b', 'tool-results', 'x.txt'),
    ];

    expect(secrets.filter((path) => source.classify(path) !== null)).toEqual([]);
  });
});
