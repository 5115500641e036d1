import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { request } from '../support/app.js';
import { HAS_TMUX, TMUX_REASON } from '../support/tmux.js';
import { waitUntil } from '../support/wait.js';
import { Codex } from './agents/codex.js';
import { isMain, isSubagent, Observed, thinking, TOKENS, working } from './agents/observed.js';

const call = (tool: string, input: Readonly<Record<string, unknown>>) => ({ tool, input });
const run = (cmd: string) => call('exec_command', { cmd, yield_time_ms: 30_000 });

test('codex: shows the tool, the plan, the tokens and the end of a session', async () => {
  await using codex = await Codex.prepare((place) => ({
    'MAIN-PROMPT': [
      { blocks: [call('update_plan', { plan: [{ step: 'Build the shop', status: 'in_progress' }] })] },
      { blocks: [run(place.gate('ready'))] },
      { blocks: [{ text: 'Done.' }], hold: 'last' },
    ],
  }));
  await using observed = await Observed.start('codex', codex.place);
  await using session = codex.exec('MAIN-PROMPT');
  await observed.agent(isMain, { ...working('exec_command'), name: 'shop', workspace: 'shop', type: 'session' });
  let tasks: unknown = null;
  await waitUntil(
    async () => {
      tasks = (await request(observed.app, '{ tasks { title status } }')).data?.['tasks'];
      return isDeepStrictEqual(tasks, [{ title: 'Build the shop', status: 'IN_PROGRESS' }]);
    },
    { state: () => tasks },
  );
  await codex.place.open('ready');
  await codex.model.gates.held('last');
  await observed.agent(isMain, { ...thinking, usage: { totalTokens: 2 * TOKENS } });
  codex.model.gates.release('last');
  expect(await session.ended(), session.output).toBe(0);
  const usage = { totalTokens: 3 * TOKENS, complete: true };
  await observed.agent(isMain, { status: 'IDLE', activity: null, usage, context: { usedTokens: TOKENS } });
});

test('codex: shows child threads with their parent, tools and ends', async () => {
  await using codex = await Codex.prepare((place) => ({
    'CHILD-PROMPT': [{ blocks: [run(place.gate('child'))] }],
    'MAIN-PROMPT': [
      { blocks: [call('spawn_agent', { message: 'CHILD-PROMPT', agent_type: 'explorer' })] },
      { blocks: [{ text: 'Done.' }], hold: 'last' },
    ],
  }));
  await using observed = await Observed.start('codex', codex.place);
  await using session = codex.exec('MAIN-PROMPT');
  const main = await observed.agent(isMain, thinking);
  const child = { type: 'explorer', parentId: `codex:${main.nativeId}`, swarmId: main.swarmId };
  await observed.agent(isSubagent, { ...working('exec_command'), ...child });
  await codex.place.open('child');
  await observed.agent(isSubagent, { status: 'IDLE', activity: null, usage: { totalTokens: 2 * TOKENS } });
  codex.model.gates.release('last');
  expect(await session.ended(), session.output).toBe(0);
  // Codex asks once more when the end of the child arrives during an answer.
  const answers = codex.model.answered.get('MAIN-PROMPT') ?? 0;
  await observed.agent(isMain, { status: 'IDLE', usage: { totalTokens: answers * TOKENS } });
});

test.skipIf(!HAS_TMUX)(`codex: shows a wait for approval as inferred, and its end${TMUX_REASON}`, async () => {
  await using codex = await Codex.prepare(() => ({
    'MAIN-PROMPT': [
      {
        blocks: [
          call('exec_command', {
            cmd: 'touch permitted',
            sandbox_permissions: 'require_escalated',
            justification: 'May I touch it?',
          }),
        ],
      },
      { blocks: [{ text: 'Done.' }], hold: 'last' },
    ],
  }));
  await using observed = await Observed.start('codex', codex.place);
  await using terminal = await codex.interact(['--sandbox', 'workspace-write', 'MAIN-PROMPT']);
  await terminal.shows(/May I touch it/);
  await observed.agent(isMain, {
    status: 'WAITING',
    activity: { label: 'exec_command', waitingFor: 'PERMISSION', inferred: true },
  });
  await observed.press(terminal, 'Enter', isMain, thinking);
  await codex.model.gates.held('last');
  codex.model.gates.release('last');
  await observed.agent(isMain, { status: 'IDLE', activity: null, usage: { totalTokens: 2 * TOKENS } });
});

test.skipIf(!HAS_TMUX)(`codex: shows an interrupt, and the next turn${TMUX_REASON}`, async () => {
  await using codex = await Codex.prepare((place) => ({
    'MAIN-PROMPT': [{ blocks: [run(place.gate('never'))] }],
    'NEXT-PROMPT': [{ blocks: [{ text: 'Done.' }], hold: 'last' }],
  }));
  await using observed = await Observed.start('codex', codex.place);
  await using terminal = await codex.interact(['MAIN-PROMPT']);
  await observed.agent(isMain, working('exec_command'));
  await terminal.shows(/esc to interrupt/);
  await observed.press(terminal, 'Escape', isMain, { status: 'IDLE', activity: null });
  await terminal.shows(/Conversation interrupted/);
  await terminal.send('-l', 'NEXT-PROMPT');
  await terminal.shows(/NEXT-PROMPT/);
  await terminal.send('Enter');
  await codex.model.gates.held('last');
  await observed.agent(isMain, thinking);
  codex.model.gates.release('last');
  await observed.agent(isMain, { status: 'IDLE', activity: null, usage: { totalTokens: 2 * TOKENS } });
});

test('codex: shows a failed turn', async () => {
  await using codex = await Codex.prepare(() => ({ 'MAIN-PROMPT': [{ blocks: [], error: 'invalid_request_error' }] }));
  await using observed = await Observed.start('codex', codex.place);
  await using session = codex.exec('MAIN-PROMPT');
  await session.ended();
  await observed.agent(isMain, { status: 'ERROR', activity: null });
});

test.skipIf(!HAS_TMUX)(`codex: shows a child that works on after the turn of its parent${TMUX_REASON}`, async () => {
  await using codex = await Codex.prepare((place) => ({
    'CHILD-PROMPT': [{ blocks: [run(place.gate('child'))] }],
    'MAIN-PROMPT': [
      { blocks: [call('spawn_agent', { message: 'CHILD-PROMPT', agent_type: 'explorer' })] },
      { blocks: [{ text: 'Done.' }] },
    ],
  }));
  await using observed = await Observed.start('codex', codex.place);
  await using _terminal = await codex.interact(['MAIN-PROMPT']);
  await observed.agent(isSubagent, working('exec_command'));
  await observed.agent(isMain, { status: 'IDLE', activity: null });
  await observed.agent(isSubagent, working('exec_command'));
  await codex.place.open('child');
  await observed.agent(isSubagent, { status: 'IDLE', activity: null });
});
