import { describe, expect, test } from 'vitest';
import { directoryKey } from '../../src/shared/index.js';
import { comparable, type ExpectedAgent, inExpectedWords, ScenarioFiles, SourceReader } from './claude-scenario.js';

const SCENARIOS = [
  'api-error',
  'compaction',
  'damaged',
  'interrupted',
  'resumed-duplicates',
  'session-tools',
  'team',
  'two-subagents',
];

function expectAgents(reader: SourceReader, expected: readonly ExpectedAgent[]): void {
  const agents = reader.agents();
  const compared = expected.map(comparable);
  expect(
    compared.map((agent) => {
      const found = agents.get(agent.id);
      return found === undefined ? { id: agent.id, missing: true } : inExpectedWords(found, agent);
    }),
  ).toEqual(compared);
}

test.each(SCENARIOS)('ClaudeCodeSource describes the agents of the scenario %s', (name) => {
  const files = ScenarioFiles.of('claude-code', name);
  const expected = files.expected();
  const reader = new SourceReader();
  reader.readAll(files);

  expectAgents(reader, expected.agents);
  expect([...reader.agents().keys()].sort()).toEqual(expected.agents.map(({ id }) => id).sort());
});

const STAGES = SCENARIOS.flatMap((name) =>
  (ScenarioFiles.of('claude-code', name).expected().stages ?? []).map(
    (stage) => [name, stage.afterLine, stage.agents] as const,
  ),
);

test.each(STAGES)('ClaudeCodeSource describes the agents of the scenario %s after line %i', (name, lines, agents) => {
  const files = ScenarioFiles.of('claude-code', name);
  const reader = new SourceReader();
  for (const path of files.paths.filter((candidate) => reader.source.classify(candidate)?.read === 'log')) {
    reader.append(path, files.lines(path).slice(0, lines));
  }

  expectAgents(reader, agents);
});

describe('scenario permission-wait', () => {
  const SESSION = '7ebc05d5-407d-4267-a74b-9e87aca20086';
  const files = ScenarioFiles.of('claude-code', 'permission-wait');
  const [expected] = files.expected().agents;
  const hooks = files
    .lines('hooks.jsonl')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { at: string; payload: unknown }); // fixture

  function readFrom(...sources: readonly ('sessions' | 'hooks')[]): SourceReader {
    const reader = new SourceReader();
    reader.readAll(files, (path) => path.startsWith('projects/') || sources.some((source) => path.startsWith(source)));
    if (sources.includes('hooks')) for (const { at, payload } of hooks) reader.sessions.applyHook(payload, at);
    return reader;
  }

  test.each([
    [[], 'working', 'tool', null],
    [['sessions'], 'waiting', 'waiting', 'permission'],
    [['hooks'], 'waiting', 'waiting', 'permission'],
    [['sessions', 'hooks'], 'waiting', 'waiting', 'permission'],
  ] as const)('differs from a running tool by %j', (sources, status, kind, waitingFor) => {
    const agent = readFrom(...sources)
      .agents()
      .get(SESSION);

    expect(agent).toMatchObject({ status, activity: { kind, waitingFor, label: 'Bash' } });
  });

  test('equals the expected agent when all sources are read', () => {
    const agent = readFrom('sessions', 'hooks').agents().get(SESSION);

    expect(agent === undefined || expected === undefined ? null : inExpectedWords(agent, expected)).toEqual(
      expected === undefined ? null : comparable(expected),
    );
  });

  test('is over when the transcript contains the refusal, for which no hook fires', () => {
    const reader = readFrom('sessions', 'hooks');
    const [path = ''] = files.paths.filter((candidate) => candidate.startsWith('projects/'));
    reader.append(path, files.lines('then-refused.jsonl'));

    expect(reader.agents().get(SESSION)).toMatchObject({ status: 'interrupted', activity: null });
  });

  test('ignores the register when the process of the entry does not run', () => {
    const reader = readFrom('sessions');
    reader.sessions.checkProcesses({ isRunning: () => false });
    const withoutEntry = new SourceReader();
    withoutEntry.sessions.checkProcesses({ isRunning: () => false });
    withoutEntry.readAll(files, (path) => path.startsWith('projects/') || path.startsWith('sessions/'));

    expect(withoutEntry.agents().get(SESSION)).toMatchObject({ status: 'working' });
    expect(reader.agents().get(SESSION)).toMatchObject({ status: 'ended', statusInferred: true });
  });
});

describe('scenario team', () => {
  const LEAD = '990c349e-565d-4c34-a94a-ae1e245241c7';
  const WRITER = `${LEAD}/ad276f161db21db90`;
  const REVIEWER = `${LEAD}/a52cdb226c59839b0`;
  const files = ScenarioFiles.of('claude-code', 'team');

  function readTeam(accepts: (path: string) => boolean = () => true) {
    const reader = new SourceReader();
    reader.readAll(files, accepts);
    const entries = reader.sessions.takeChanges(reader.nowMs).get(LEAD);
    if (entries == null) throw new Error('the session is missing');
    return entries;
  }

  test('has a swarm for the team', () => {
    expect(readTeam().swarms).toEqual([
      {
        id: LEAD,
        kind: 'team',
        name: 'session-990c349e',
        leadAgentId: LEAD,
        processKey: null,
        directoryKey: directoryKey('/home/dev/shop'),
        createdAt: '2026-09-20T16:00:08.180Z',
      },
    ]);
  });

  test.each([
    ['files', () => true, 'session-990c349e'],
    ['transcripts', (path: string) => path.startsWith('projects/'), LEAD],
  ])('has its tasks from %s', (_, accepts, list) => {
    const { tasks } = readTeam(accepts);

    expect(tasks).toMatchObject([
      { id: `${list}/1`, title: 'Write the docs', status: 'in_progress', agentIds: [WRITER] },
      { id: `${list}/2`, title: 'Review the docs', agentIds: [] },
    ]);
  });

  test('has a blocked task when it depends on one that is not completed', () => {
    expect(readTeam().tasks[1]).toMatchObject({ status: 'blocked', dependsOnIds: ['session-990c349e/1'] });
  });

  test('has its messages from transcripts and mailboxes once', () => {
    expect(readTeam().messages).toMatchObject([
      { fromAgentId: LEAD, toAgentIds: [WRITER], kind: null, isRead: true },
      { fromAgentId: LEAD, toAgentIds: [REVIEWER], kind: null, isRead: true },
      { fromAgentId: REVIEWER, toAgentIds: [LEAD], kind: 'idle_notification', isRead: true },
      { fromAgentId: WRITER, toAgentIds: [LEAD], kind: null, isRead: false },
    ]);
  });
});
