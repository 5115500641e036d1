import { describe, expect, test } from 'vitest';
import type { ObservedAgent } from '../../src/observer-format/index.js';
import { createClaudeCodeSource, type SourceSessions, PriceList } from '../../src/observers/index.js';
import { SourceReader } from './claude-scenario.js';

const SESSION = '11111111-2222-4333-8444-555555555555';
const MAIN = `projects/-home-dev-shop/${SESSION}.jsonl`;
const AGENT = 'a1b2c3d4';
const SUBAGENT = `projects/-home-dev-shop/${SESSION}/subagents/agent-${AGENT}.jsonl`;

type Fields = Readonly<Record<string, unknown>>;
let ids = 0;

/** @param seconds seconds since the beginning of the session */
function record(seconds: number, fields: Fields): string {
  ids += 1;
  const timestamp = new Date(Date.parse('2026-11-23T12:00:00.000Z') + seconds * 1_000).toISOString();
  const envelope = { cwd: '/home/dev/shop', sessionId: SESSION, version: '2.1.270', timestamp };
  return JSON.stringify({ uuid: `uuid-${ids}`, parentUuid: 'x', ...envelope, ...fields });
}

const user = (seconds: number, content: unknown, more: Fields = {}): string =>
  record(seconds, { type: 'user', message: { content }, ...more });
const toolResult = (seconds: number, id: string, details: unknown = {}, more: Fields = {}): string =>
  user(seconds, [{ type: 'tool_result', tool_use_id: id, content: 'ok', ...more }], { toolUseResult: details });
const assistant = (seconds: number, id: string, content: readonly object[], more: Fields = {}): string =>
  record(seconds, {
    type: 'assistant',
    requestId: `req_${id}`,
    message: {
      id: `msg_${id}`,
      model: 'claude-opus-5',
      content,
      usage: { input_tokens: 1, output_tokens: 10 },
      ...more,
    },
  });
const toolUse = (seconds: number, id: string, name: string, input: object = {}): string =>
  assistant(seconds, id, [{ type: 'tool_use', id, name, input }], { stop_reason: 'tool_use' });
const answer = (seconds: number, id: string): string =>
  assistant(seconds, id, [{ type: 'text', text: 'Done.' }], { stop_reason: 'end_turn' });
const notification = (taskId: string, status: string, result = ''): string =>
  `<task-notification>\n<task-id>${taskId}</task-id>\n<status>${status}</status>\n<result>${result}</result>\n</task-notification>`;
const enqueued = (seconds: number, content: string): string =>
  JSON.stringify({
    type: 'queue-operation',
    operation: 'enqueue',
    content,
    timestamp: new Date(Date.parse('2026-11-23T12:00:00.000Z') + seconds * 1_000).toISOString(),
  });

/** Reads the lines of each path and returns the agents. */
function read(files: Readonly<Record<string, readonly string[]>>, documents: Readonly<Record<string, unknown>> = {}) {
  const reader = new SourceReader();
  for (const [path, lines] of Object.entries(files)) reader.append(path, lines);
  for (const [path, document] of Object.entries(documents)) reader.sessions.setDocument(path, document);
  return reader.agents();
}

function readMain(...lines: readonly string[]): ObservedAgent {
  const agent = read({ [MAIN]: lines }).get(SESSION);
  if (agent === undefined) throw new Error('no agent');
  return agent;
}

describe('turns of ClaudeCodeSource', () => {
  test.each([
    ['a prompt', [user(0, 'Do it.')], 'working'],
    ['a prompt with an image only', [user(0, [{ type: 'image' }])], 'working'],
    ['a local command', [user(0, '<command-name>/model</command-name>')], 'unknown'],
    ['an answer', [user(0, 'Do it.'), answer(1, 'a')], 'idle'],
    [
      'a queued notification after the answer',
      [user(0, 'x'), answer(1, 'a'), user(2, notification('b', 'completed'))],
      'working',
    ],
    [
      'a local command after the answer',
      [user(0, 'x'), answer(1, 'a'), user(2, '<bash-stdout>ok</bash-stdout>')],
      'idle',
    ],
    ['a meta record after the answer', [user(0, 'x'), answer(1, 'a'), user(2, 'y', { isMeta: true })], 'idle'],
    ['an interrupt', [user(0, 'x'), toolUse(1, 'a', 'Bash'), user(2, '[Request interrupted by user]')], 'interrupted'],
    ['a text that quotes an interrupt', [user(0, 'Why [Request interrupted by user]?')], 'working'],
    [
      'a filler of a resumed session',
      [user(0, 'x'), answer(1, 'a'), assistant(2, 'b', [], { model: '<synthetic>', stop_reason: 'stop_sequence' })],
      'idle',
    ],
    [
      'an end without a hook',
      [user(0, 'x'), answer(1, 'a'), JSON.stringify({ type: 'cost-state', totalCostUSD: 1 })],
      'ended',
    ],
    ['a prompt after the end', [JSON.stringify({ type: 'cost-state', totalCostUSD: 1 }), user(5, 'Go on.')], 'working'],
  ])('are right after %s', (_, lines, status) => {
    expect(readMain(...lines).status).toBe(status);
  });

  test.each([
    ['AskUserQuestion', 'answer'],
    ['ExitPlanMode', 'plan_approval'],
  ])('wait for a person when %s is open, whatever else runs', (tool, reason) => {
    const asking = [user(0, 'x'), toolUse(1, 'a', tool), toolUse(1, 'a2', 'Bash')];
    const parallel = asking.map((line) => line.replace('msg_a2', 'msg_a').replace('req_a2', 'req_a'));

    expect(readMain(...parallel)).toMatchObject({ status: 'waiting', activity: { waitingFor: reason, label: tool } });
    expect(readMain(...parallel, toolResult(2, 'a')).status).toBe('working');
  });

  test('close a call without a readable result when the model answers again', () => {
    const lines = [user(0, 'x'), toolUse(1, 'a', 'Bash'), assistant(3, 'b', [{ type: 'thinking' }])];

    expect(readMain(...lines).activity).toMatchObject({ kind: 'model' });
  });

  test('ignore records that a compaction repeats, but not those after a clock was set back', () => {
    const old = toolUse(1, 'old', 'Bash');
    const boundary = record(500, { type: 'system', subtype: 'compact_boundary', compactMetadata: { postTokens: 900 } });
    const summary = user(500, 'Summary', { isCompactSummary: true });
    const compacted = [user(0, 'x'), old, toolResult(2, 'old'), answer(3, 'a'), boundary, summary];
    const unknownId = old.replace(/uuid-\d+/, 'uuid-renamed');

    expect(readMain(...compacted, old).status).toBe('idle');
    expect(readMain(...compacted, unknownId)).toMatchObject({ status: 'idle', context: { usedTokens: 900 } });
    expect(readMain(...compacted, user(501, 'y'), toolUse(10, 'new', 'Read')).activity).toMatchObject({
      label: 'Read',
    });
  });
});

test('ClaudeCodeSource ignores a record that the file already had', () => {
  const asked = user(0, 'x');

  expect(readMain(asked, answer(1, 'a'), asked).status).toBe('idle');
});

test('ClaudeCodeSource does not end a turn when the first hook says nothing about it', () => {
  const reader = new SourceReader();
  reader.append(MAIN, [user(0, 'x'), toolUse(1, 'a', 'Bash')]);
  reader.sessions.applyHook({ session_id: SESSION, hook_event_name: 'CwdChanged' }, '2026-11-23T12:00:05.000Z');

  expect(reader.agents().get(SESSION)).toMatchObject({ status: 'working', activity: { label: 'Bash' } });
});

test('ClaudeCodeSource ends a wait that hooks have reported when the transcript contains the result of the call', () => {
  const reader = new SourceReader();
  const hook = { session_id: SESSION, tool_name: 'Bash', tool_input: { command: 'ls' } };
  reader.append(MAIN, [user(0, 'x'), toolUse(1, 'a', 'Bash')]);
  const call = { ...hook, hook_event_name: 'PreToolUse', tool_use_id: 'a' };
  reader.sessions.applyHook(call, '2026-11-23T12:00:01.100Z');
  reader.sessions.applyHook({ ...hook, hook_event_name: 'PermissionRequest' }, '2026-11-23T12:00:01.200Z');
  expect(reader.agents().get(SESSION)?.status).toBe('waiting');

  reader.append(MAIN, [toolResult(5, 'a'), toolUse(6, 'b', 'Read')]);
  expect(reader.agents().get(SESSION)).toMatchObject({ status: 'working', activity: { label: 'Read' } });
});

describe('tokens of ClaudeCodeSource', () => {
  test('are the maximum of each amount over all records of one answer', () => {
    const part = (output: number, cache: number): string =>
      assistant(1, 'a', [{ type: 'text', text: 'x' }], {
        usage: { input_tokens: 3, output_tokens: output, cache_read_input_tokens: cache },
      });

    expect(readMain(part(1, 70), part(240, 0), part(240, 70)).usage).toMatchObject({
      inputTokens: 3,
      outputTokens: 240,
      cacheReadTokens: 70,
      totalTokens: 313,
    });
  });

  test('include cache writes that are only listed in parts', () => {
    const usage = {
      cache_creation_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 7, ephemeral_1h_input_tokens: 2 },
    };

    expect(readMain(assistant(1, 'a', [], { usage })).usage?.cacheWriteTokens).toBe(9);
  });

  test('are a lower limit when an answer was cut off, and in releases with placeholders', () => {
    expect(readMain(user(0, 'x'), answer(1, 'a')).usage?.complete).toBe(true);
    expect(readMain(user(0, 'x'), user(1, '[Request interrupted by user]')).usage?.complete).toBe(false);
    expect(
      readMain(user(0, 'x').replace('2.1.270', '2.1.96'), answer(1, 'a').replace('2.1.270', '2.1.96')).usage?.complete,
    ).toBe(false);
  });

  test('cost what Claude Code measured when the session has no subagents', () => {
    const cost = (usd: number): string => JSON.stringify({ type: 'cost-state', totalCostUSD: usd });

    expect(readMain(user(0, 'x'), cost(2.5), cost(1)).usage).toMatchObject({ costUsd: 2.5, costEstimated: false });
  });

  test.each([
    ['claude-opus-5', 1_000_000],
    ['claude-opus-4-8', 1_000_000],
    ['claude-opus-4-6', 200_000],
    ['claude-opus-4-20250514', 200_000],
    ['claude-sonnet-4-5-20250929', 200_000],
    ['claude-sonnet-5', 1_000_000],
    ['claude-haiku-4-5-20251001', 200_000],
    ['claude-3-5-sonnet-20241022', 200_000],
    ['claude-sonnet-4-5[1m]', 1_000_000],
    ['gpt-5', null],
  ])('fit into the context window of %s', (model, limit) => {
    expect(readMain(assistant(1, 'a', [], { model })).context?.limitTokens).toBe(limit);
  });

  test('prove a large window when more are used than fit into a small one', () => {
    const usage = { input_tokens: 1, cache_read_input_tokens: 250_000 };

    expect(readMain(assistant(1, 'a', [], { model: 'claude-opus-4-6', usage })).context?.limitTokens).toBe(1_000_000);
  });
});

describe('subagents of ClaudeCodeSource', () => {
  const start = toolUse(1, 'call', 'Agent', { description: 'Look', subagent_type: 'Explore', prompt: 'p' });
  const launched = toolResult(1, 'call', { isAsync: true, status: 'async_launched', agentId: AGENT });
  const own = (seconds: number, line: string): string =>
    line.replace('"uuid"', '"isSidechain":true,"agentId":"a1b2c3d4","uuid"').replace('seconds', String(seconds));
  const ended = [own(2, user(2, 'p')), own(3, answer(3, 'sub'))];
  const idOf = `${SESSION}/${AGENT}`;

  test.each([
    ['completed', 'finished'],
    ['failed', 'failed'],
    ['killed', 'ended'],
    ['a new word', 'finished'],
  ])('have ended when a notification says %s', (word, status) => {
    const agents = read({ [MAIN]: [start, launched, enqueued(5, notification(AGENT, word))], [SUBAGENT]: ended });

    expect(agents.get(idOf)).toMatchObject({ status, parentId: SESSION, type: 'Explore', name: 'Look' });
  });

  test('work again when they receive another message after their end', () => {
    const first = [start, launched, enqueued(5, notification(AGENT, 'completed', 'one'))];
    const again = [...ended, own(20, user(20, 'More.')), own(21, toolUse(21, 'more', 'Grep'))];
    expect(read({ [MAIN]: first, [SUBAGENT]: again }).get(idOf)).toMatchObject({
      status: 'working',
      activity: { label: 'Grep' },
    });

    // The delivery of the first notification does not end the second turn.
    const delivered = [...first, user(22, notification(AGENT, 'completed', 'one'))];
    expect(read({ [MAIN]: delivered, [SUBAGENT]: again }).get(idOf)?.status).toBe('working');
    const second = [...delivered, enqueued(30, notification(AGENT, 'completed', 'two'))];
    expect(read({ [MAIN]: second, [SUBAGENT]: again }).get(idOf)?.status).toBe('finished');
  });

  test.each([
    ['a result', {}, { status: 'completed', agentId: AGENT }, 'finished'],
    ['an error', { is_error: true }, { status: 'failed', agentId: AGENT }, 'failed'],
    ['a refusal', { is_error: true, content: `agentId: ${AGENT}` }, 'User rejected tool use', 'ended'],
  ])('in the foreground have ended with %s of the call', (_, block, details, status) => {
    const running = [own(2, user(2, 'p')), own(3, toolUse(3, 'x', 'Bash'))];

    expect(read({ [MAIN]: [start], [SUBAGENT]: running }).get(idOf)?.status).toBe('working');
    expect(
      read({ [MAIN]: [start, toolResult(9, 'call', details, block)], [SUBAGENT]: running }).get(idOf)?.status,
    ).toBe(status);
  });

  test('have the type general-purpose and the session as parent when nothing else is known', () => {
    expect(read({ [MAIN]: [user(0, 'x')], [SUBAGENT]: ended }).get(idOf)).toMatchObject({
      type: 'general-purpose',
      parentId: SESSION,
      status: 'finished',
      statusInferred: true,
    });
  });

  test('are never their own ancestors', () => {
    const other = SUBAGENT.replace(AGENT, 'ffff');
    const metaOf = (parentAgentId: string) => ({ agentType: 'Explore', parentAgentId });
    const agents = read(
      { [MAIN]: [user(0, 'x')], [SUBAGENT]: ended, [other]: ended },
      {
        [SUBAGENT.replace('.jsonl', '.meta.json')]: metaOf('ffff'),
        [other.replace('.jsonl', '.meta.json')]: metaOf(AGENT),
      },
    );

    expect([agents.get(idOf)?.parentId, agents.get(`${SESSION}/ffff`)?.parentId]).toEqual([SESSION, SESSION]);
  });

  test('are found in the place of old releases, beside the session', () => {
    const path = `projects/-home-dev-shop/agent-${AGENT}.jsonl`;

    expect(read({ [MAIN]: [start, launched], [path]: ended }).get(idOf)).toMatchObject({ type: 'Explore' });
  });

  test('are found in the transcript of the session, as in the oldest releases', () => {
    const side = (line: string, parent: string | null): string =>
      JSON.stringify({ ...(JSON.parse(line) as object), isSidechain: true, parentUuid: parent }); // record of this test
    const first = side(user(2, 'p'), null);
    const { uuid } = JSON.parse(first) as { readonly uuid: string }; // record of this test
    const lines = [user(0, 'x'), toolUse(1, 'call', 'Task'), first, side(toolUse(3, 's', 'Grep'), uuid)];
    const agents = read({ [MAIN]: lines });

    expect(agents.get(SESSION)).toMatchObject({ status: 'working', activity: { label: 'Task' } });
    expect(agents.get(`${SESSION}/${uuid}`)).toMatchObject({
      status: 'working',
      activity: { label: 'Grep' },
      parentId: SESSION,
    });
    expect(read({ [MAIN]: [...lines, toolResult(4, 'call')] }).get(`${SESSION}/${uuid}`)?.status).toBe('finished');
  });

  test('of a workflow have ended when its journal contains their result', () => {
    const run = `projects/-home-dev-shop/${SESSION}/subagents/workflows/wf_1`;
    const files = {
      [MAIN]: [user(0, 'x')],
      [`${run}/agent-${AGENT}.jsonl`]: [own(2, user(2, 'p')), own(3, toolUse(3, 'x', 'Bash'))],
    };
    const started = JSON.stringify({ type: 'started', agentId: AGENT });
    const returned = JSON.stringify({ type: 'result', agentId: AGENT });

    expect(read({ ...files, [`${run}/journal.jsonl`]: [started] }).get(idOf)).toMatchObject({
      status: 'working',
      type: 'workflow-subagent',
    });
    expect(read({ ...files, [`${run}/journal.jsonl`]: [started, returned] }).get(idOf)?.status).toBe('finished');
  });

  test.each(['agent-acompact-12ab.jsonl', 'agent-aside_question.jsonl'])('do not include the helper %s', (name) => {
    expect([
      ...read({ [MAIN]: [user(0, 'x')], [SUBAGENT.replace(`agent-${AGENT}.jsonl`, name)]: ended }).keys(),
    ]).toEqual([SESSION]);
  });

  test('do not include an agent whose first prompt is a warmup', () => {
    expect([
      ...read({ [MAIN]: [user(0, 'x')], [SUBAGENT]: [own(1, user(1, 'Warmup')), own(2, answer(2, 'w'))] }).keys(),
    ]).toEqual([SESSION]);
  });
});

describe('tasks of ClaudeCodeSource', () => {
  function tasksOf(lines: readonly string[], documents: Readonly<Record<string, unknown>> = {}) {
    const reader = new SourceReader();
    reader.append(MAIN, lines);
    for (const [path, document] of Object.entries(documents)) reader.sessions.setDocument(path, document);
    return reader.sessions.takeChanges(reader.nowMs).get(SESSION)?.tasks;
  }

  test('follow the calls that create, change and delete them', () => {
    const created = [toolUse(1, 'c', 'TaskCreate', { subject: 'Write' }), toolResult(2, 'c', { task: { id: '1' } })];
    const done = [toolUse(3, 'u', 'TaskUpdate', { taskId: '1', status: 'completed' }), toolResult(4, 'u')];

    expect(tasksOf(created)).toMatchObject([{ id: `${SESSION}/1`, title: 'Write', status: 'pending' }]);
    expect(tasksOf([...created, ...done])).toMatchObject([
      { status: 'completed', endedAt: '2026-11-23T12:00:03.000Z' },
    ]);
    expect(tasksOf([...created, toolUse(5, 'd', 'TaskUpdate', { taskId: '1', status: 'deleted' })])).toEqual([]);
  });

  test('are the todos of old releases, from calls or from files', () => {
    const todos = [
      { content: 'First', status: 'in_progress' },
      { content: 'Second', status: 'pending' },
    ];
    const expected = [
      { id: `${SESSION}/todo-1`, status: 'in_progress', agentIds: [SESSION] },
      { id: `${SESSION}/todo-2`, status: 'pending' },
    ];

    expect(tasksOf([toolUse(1, 't', 'TodoWrite', { todos })])).toMatchObject(expected);
    expect(tasksOf([user(0, 'x')], { [`todos/${SESSION}-agent-${SESSION}.json`]: todos })).toMatchObject(expected);
  });
});

test.each([
  ['a kind of message', '{"type":"shutdown_request","from":"a"}', 'shutdown_request'],
  ['a text instead of a kind', '{"type":"Sell the company"}', null],
  ['text', 'Hello', null],
])('ClaudeCodeSource reports the kind of a message with %s', (_, body, kind) => {
  const reader = new SourceReader();
  reader.append(MAIN, [user(1, `<teammate-message teammate_id="a">${body}</teammate-message>`)]);

  expect(reader.sessions.takeChanges(reader.nowMs).get(SESSION)?.messages).toMatchObject([{ kind, text: null }]);
});

describe('processes of ClaudeCodeSource', () => {
  const entry = (fields: Fields): object => ({ pid: 7, sessionId: SESSION, cwd: '/home/dev/shop', ...fields });
  const at = (seconds: number): number => Date.parse('2026-11-23T12:00:00.000Z') + seconds * 1_000;

  test.each([
    ['waiting', 'input needed', 'waiting', 'answer'],
    ['waiting', 'approve Bash', 'waiting', 'permission'],
    ['waiting', 'dialog open', 'waiting', 'other'],
    ['busy', undefined, 'working', undefined],
    ['idle', undefined, 'idle', undefined],
  ])('say that a session is %s for %s', (status, waitingFor, expected, reason) => {
    const agents = read(
      { [MAIN]: [user(0, 'x'), toolUse(1, 'a', 'Bash')] },
      { 'sessions/7.json': entry({ status, waitingFor, statusUpdatedAt: at(5) }) },
    );

    expect(agents.get(SESSION)?.status).toBe(expected);
    expect(agents.get(SESSION)?.activity?.waitingFor ?? undefined).toBe(reason);
  });

  test.each([
    ['the session', {}, SESSION],
    ['a subagent', { agent_id: AGENT, agent_type: 'Explore' }, `${SESSION}/${AGENT}`],
  ])('end a wait of %s that hooks have reported, because no hook reports the permission', (_, agent, id) => {
    const reader = new SourceReader();
    const hook = { session_id: SESSION, tool_name: 'Bash', tool_input: { command: 'ls' }, ...agent };
    reader.append(MAIN, [user(0, 'x'), toolUse(1, 'a', 'Bash')]);
    reader.append(SUBAGENT, [user(0, 'x'), toolUse(1, 'b', 'Bash')]);
    reader.sessions.applyHook({ ...hook, hook_event_name: 'PermissionRequest' }, '2026-11-23T12:00:02.000Z');
    reader.sessions.setDocument('sessions/7.json', entry({ status: 'waiting', statusUpdatedAt: at(2) }));
    expect(reader.agents().get(id)?.status).toBe('waiting');

    reader.sessions.setDocument('sessions/7.json', entry({ status: 'busy', statusUpdatedAt: at(5) }));

    expect(reader.agents().get(id)).toMatchObject({ status: 'working', activity: { kind: 'tool', label: 'Bash' } });
  });

  test('do not say that a session waits while hooks report the wait of a subagent', () => {
    const reader = new SourceReader();
    const hook = { session_id: SESSION, tool_name: 'Bash', tool_input: { command: 'ls' } };
    reader.append(MAIN, [user(0, 'x'), toolUse(1, 'a', 'Agent')]);
    reader.sessions.applyHook(
      { ...hook, hook_event_name: 'PermissionRequest', agent_id: AGENT, agent_type: 'Explore' },
      '2026-11-23T12:00:02.000Z',
    );
    const notification = { hook_event_name: 'Notification', notification_type: 'permission_prompt' };
    reader.sessions.applyHook({ session_id: SESSION, ...notification }, '2026-11-23T12:00:08.000Z');
    reader.sessions.setDocument('sessions/7.json', entry({ status: 'waiting', statusUpdatedAt: at(2) }));

    expect(reader.agents().get(SESSION)?.status).toBe('working');
    expect(reader.agents().get(`${SESSION}/${AGENT}`)?.status).toBe('waiting');
  });

  test('say that a session is busy while its background agents work after its turn', () => {
    const end = record(2, { type: 'system', subtype: 'turn_duration', pendingBackgroundAgentCount: 1 });
    const lines = [user(0, 'x'), answer(1, 'a'), end];
    const agents = read({ [MAIN]: lines }, { 'sessions/7.json': entry({ status: 'busy', statusUpdatedAt: at(5) }) });

    expect(agents.get(SESSION)).toMatchObject({ status: 'idle', backgroundAgents: 1, activity: null });
  });

  test('are older than the newest record of the transcript', () => {
    const lines = [user(0, 'x'), answer(9, 'a')];

    expect(
      read({ [MAIN]: lines }, { 'sessions/7.json': entry({ status: 'busy', statusUpdatedAt: at(5) }) }).get(SESSION)
        ?.status,
    ).toBe('idle');
  });

  test('show a session before its first prompt', () => {
    expect(read({}, { 'sessions/7.json': entry({ status: 'idle', startedAt: at(0) }) }).get(SESSION)).toMatchObject({
      status: 'idle',
      name: 'shop',
      createdAt: '2026-11-23T12:00:00.000Z',
    });
  });

  test('end a session when they begin another one', () => {
    const reader = new SourceReader();
    reader.append(MAIN, [user(0, 'x'), answer(1, 'a')]);
    reader.sessions.setDocument('sessions/7.json', entry({ status: 'idle' }));
    reader.agents();
    reader.sessions.setDocument('sessions/7.json', entry({ sessionId: 'next', status: 'idle' }));

    expect(reader.agents().get(SESSION)?.status).toBe('ended');
    expect(reader.agents().get('next')?.status).toBe('idle');
  });

  test('end the session and its subagents when they end without a record', () => {
    const reader = new SourceReader();
    reader.append(MAIN, [user(0, 'x'), toolUse(1, 'a', 'Agent')]);
    reader.append(SUBAGENT, [user(2, 'p')]);
    reader.sessions.setDocument('sessions/7.json', entry({ status: 'busy' }));
    expect([...reader.agents().values()].map(({ status }) => status)).toEqual(['working', 'working']);

    reader.sessions.removeFile('sessions/7.json');
    expect([...reader.agents().values()].map(({ status }) => status)).toEqual(['ended', 'ended']);
  });

  test.each([
    ['blocked', 'waiting'],
    ['done', 'idle'],
    ['failed', 'failed'],
    ['stopped', 'ended'],
    ['working', 'working'],
  ])('in the background say that a session is %s', (state, status) => {
    const job = { sessionId: SESSION, state, updatedAt: '2026-11-23T12:00:30.000Z' };

    expect(read({ [MAIN]: [user(0, 'x')] }, { 'jobs/1/state.json': job }).get(SESSION)?.status).toBe(status);
  });
});

test('ClaudeCodeSource ends a working session after a long silence without a process', () => {
  const sessions: SourceSessions = createClaudeCodeSource({
    shownText: 'none',
    prices: new PriceList(),
  }).createSessions();
  const reader = new SourceReader();
  reader.append(MAIN, [user(0, 'x')]);
  const state = reader.source.createState(MAIN);
  reader.source.reduce(state, JSON.parse(user(0, 'x')));
  sessions.setLog(MAIN, { state, isComplete: true, modifiedAtMs: 1_000, createdAtMs: 0 });

  expect(sessions.takeChanges(60_000).get(SESSION)?.agents).toMatchObject([{ status: 'working' }]);
  sessions.checkSilence(24 * 3_600_000);
  expect(sessions.takeChanges(24 * 3_600_000).get(SESSION)?.agents).toMatchObject([
    { status: 'ended', statusInferred: true },
  ]);
  sessions.checkSilence(25 * 3_600_000);
  expect(sessions.takeChanges(25 * 3_600_000).size).toBe(0);
});

test('ClaudeCodeSource ends an idle session after a silence if live sessions are registered', () => {
  const { sessions, source } = new SourceReader();
  const state = source.createState(MAIN);
  for (const line of [user(0, 'x'), answer(1, 'a')]) source.reduce(state, JSON.parse(line));
  sessions.setLog(MAIN, { state, isComplete: true, modifiedAtMs: 1_000, createdAtMs: 0 });
  expect(sessions.takeChanges(60_000).get(SESSION)?.agents).toMatchObject([{ status: 'idle' }]);
  sessions.checkSilence(3_600_000);
  expect(sessions.takeChanges(3_600_000).get(SESSION)?.agents).toMatchObject([{ status: 'idle' }]);

  sessions.setDocument('sessions/7.json', { sessionId: 'other', status: 'idle' });
  sessions.checkSilence(7 * 3_600_000);

  expect(sessions.takeChanges(7 * 3_600_000).get(SESSION)?.agents).toMatchObject([
    { status: 'ended', statusInferred: true },
  ]);
});

describe('a failed session of ClaudeCodeSource stays failed when it ends', () => {
  const failure = record(1, {
    type: 'assistant',
    isApiErrorMessage: true,
    error: 'overloaded',
    message: { content: [] },
  });
  const failed = { status: 'failed', error: 'overloaded', activity: null };

  test('with a record', () => {
    expect(readMain(user(0, 'x'), failure, JSON.stringify({ type: 'cost-state', totalCostUSD: 1 }))).toMatchObject(
      failed,
    );
  });

  test('with a hook', () => {
    const reader = new SourceReader();
    reader.append(MAIN, [user(0, 'x'), failure]);
    reader.sessions.applyHook({ session_id: SESSION, hook_event_name: 'SessionEnd' }, '2026-11-23T12:00:02.000Z');

    expect(reader.agents().get(SESSION)).toMatchObject(failed);
  });

  test('with its process, which ends its subagents', () => {
    const reader = new SourceReader();
    reader.append(MAIN, [user(0, 'x'), failure]);
    reader.append(SUBAGENT, [user(0, 'x'), toolUse(1, 'b', 'Bash')]);
    reader.sessions.setDocument('sessions/7.json', { sessionId: SESSION, status: 'idle' });
    reader.sessions.removeFile('sessions/7.json');

    expect(reader.agents().get(SESSION)).toMatchObject(failed);
    expect(reader.agents().get(`${SESSION}/${AGENT}`)?.status).toBe('ended');
  });
});

test('ClaudeCodeSource shows a session as idle when its process runs and nothing else is known', () => {
  const entry = { sessionId: SESSION, cwd: '/home/dev/shop' };

  expect(read({}, { 'sessions/7.json': entry }).get(SESSION)?.status).toBe('idle');
});

test('ClaudeCodeSource keeps the name of a session when its process has ended', () => {
  const reader = new SourceReader();
  reader.append(MAIN, [user(0, 'x')]);
  reader.sessions.setDocument('sessions/7.json', { sessionId: SESSION, name: 'release', nameSource: 'user' });
  reader.sessions.removeFile('sessions/7.json');

  expect(reader.agents().get(SESSION)?.name).toBe('release');
});
