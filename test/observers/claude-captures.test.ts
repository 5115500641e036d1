import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ObservedAgent } from '../../src/observer-format/index.js';
import { OBSERVER_FIXTURES, SourceReader } from './claude-scenario.js';
import { ScenarioFiles } from './claude-scenario.js';

/** Reads the transcripts of a recorded run of Claude Code as those of a configuration directory. */
function readCapture(name: string): SourceReader {
  const files = new ScenarioFiles(join(OBSERVER_FIXTURES, 'captures', name, 'transcripts'));
  const reader = new SourceReader();
  for (const path of files.paths) {
    const observed = `projects/${path}`;
    if (path.endsWith('.jsonl')) reader.append(observed, files.lines(path));
    else reader.sessions.setDocument(observed, JSON.parse(files.text(path)));
  }
  return reader;
}

function summary({ id, parentId, name, type, status, model, usage }: ObservedAgent) {
  return { id, parentId, name, type, status, model, outputTokens: usage?.outputTokens };
}

describe('ClaudeCodeSource', () => {
  test('describes a recorded session with a subagent in the foreground', () => {
    const session = '0b0fdee6-11a7-4f7f-9b17-8910fc2829d5';

    expect([...readCapture('cc1').agents().values()].map(summary)).toMatchObject([
      { id: session, parentId: null, name: 'proj', type: 'session', status: 'idle', model: 'claude-opus-4-8' },
      {
        id: `${session}/a39dab17caa3180ba`,
        parentId: session,
        name: 'Look around',
        type: 'general-purpose',
        status: 'finished',
        model: 'claude-opus-4-8',
      },
    ]);
  });

  test('describes the recorded session behind a hive of claude-flow with two agents in the background', () => {
    const session = '769ccea9-8518-41b8-a2d2-233a0a6193ad';

    expect([...readCapture('hive-v343').agents().values()].map(summary)).toMatchObject([
      { id: session, name: 'hive-v343', status: 'idle' },
      { id: `${session}/a0186a3f612d6f081`, parentId: session, name: 'B tests', status: 'finished' },
      { id: `${session}/a92363ba5fc6ee1a4`, parentId: session, name: 'A codes', status: 'finished' },
    ]);
  });

  test.each([
    ['cc1', 'proj', 1],
    ['cc2', 'proj', 2],
  ])('describes the session of the recorded hooks %s', (name, workspace, subagents) => {
    const reader = new SourceReader(undefined, Date.parse('2026-11-29T02:00:00.000Z'));
    const lines = readFileSync(join(OBSERVER_FIXTURES, 'captures', name, 'hooks.jsonl'), 'utf8').split('\n');
    const statuses: string[] = [];
    for (const line of lines.filter((text) => text !== '')) {
      reader.sessions.applyHook(JSON.parse(line), '2026-11-29T02:00:00.000Z');
      const session = [...reader.agents().values()].find(({ parentId }) => parentId === null);
      if (session !== undefined && statuses.at(-1) !== session.status) statuses.push(session.status);
    }
    const agents = [...reader.agents().values()];

    expect(statuses).toEqual(['idle', 'working', 'idle', 'ended']);
    expect(agents.filter(({ parentId }) => parentId !== null)).toHaveLength(subagents);
    expect(agents.every(({ status }) => status === 'ended' || status === 'finished')).toBe(true);
    expect(agents[0]?.workspace).toBe(workspace);
  });
});
