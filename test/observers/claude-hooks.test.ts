import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createClaudeCodeSource, PriceList } from '../../src/observers/index.js';
import { OBSERVER_FIXTURES, SourceReader } from './claude-scenario.js';

interface ExpectedHook {
  readonly agent?: string;
  readonly status?: string;
  readonly currentTool?: string | null;
  readonly type?: string;
  readonly waitingFor?: string;
  readonly child?: string;
  readonly error?: string;
  readonly pendingAgents?: number;
  readonly ignored?: boolean;
  readonly never?: string;
}

const SESSION = '96b6bade-779b-40b2-afa1-6004ea6792fa';
const RECEIVED_AT = '2026-11-23T15:00:00.000Z';

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(OBSERVER_FIXTURES, 'hooks', path), 'utf8'));
}

const EXPECTED = (readJson('expected.json') as { readonly claudeCode: Readonly<Record<string, ExpectedHook>> })
  .claudeCode; // fixture of a known shape
const EVENTS = Object.entries(EXPECTED).filter(([, { never }]) => never === undefined);

function apply(...names: readonly string[]) {
  const reader = new SourceReader(
    createClaudeCodeSource({ shownText: 'titles', prices: new PriceList() }),
    Date.parse(RECEIVED_AT),
  );
  for (const name of names) reader.sessions.applyHook(readJson(`claude-code/${name}.json`), RECEIVED_AT);
  return reader.agents();
}

test.each(EVENTS)('ClaudeCodeSource learns from the hook %s alone', (name, expected) => {
  const agents = apply(name);
  const agent = agents.get(expected.agent ?? SESSION);

  if (expected.ignored === true) {
    expect([...agents]).toEqual([]);
    return;
  }
  const { activity } = agent ?? {};
  const waitingFor = [activity?.waitingFor, activity?.label].filter((part) => part != null).join(': ');
  expect({
    status: agent?.status,
    ...('currentTool' in expected && { currentTool: activity?.kind === 'tool' ? activity.label : null }),
    ...('type' in expected && { type: agent?.type }),
    ...('waitingFor' in expected && { waitingFor }),
    ...('child' in expected && { child: agents.get(expected.child ?? '')?.id }),
    ...('error' in expected && { error: agent?.error }),
    ...('pendingAgents' in expected && { pendingAgents: agent?.backgroundAgents }),
  }).toEqual(withoutToolOfAnswer(expected));
});

/** A question names its tool, which the fixture leaves out. */
function withoutToolOfAnswer({ agent: _agent, ...expected }: ExpectedHook): ExpectedHook {
  return expected.waitingFor === 'answer' ? { ...expected, waitingFor: 'answer: AskUserQuestion' } : expected;
}

test('ClaudeCodeSource ends a wait when the call has a result', () => {
  expect(apply('PreToolUse', 'PermissionRequest').get(SESSION)?.status).toBe('waiting');
  expect(apply('PreToolUse', 'PermissionRequest', 'PostToolUse').get(SESSION)?.status).toBe('working');
});

test('ClaudeCodeSource does not end a wait of the session when a subagent uses a tool', () => {
  expect(apply('PreToolUse', 'PermissionRequest', 'PreToolUse.subagent').get(SESSION)?.status).toBe('waiting');
});

test.each(['FileChanged', 'MessageDisplay', 'WorktreeCreate'])('ClaudeCodeSource survives the hook %s', (name) => {
  expect([...apply(name).values()].every(({ status }) => status === 'idle')).toBe(true);
});
