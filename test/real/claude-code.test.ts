import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { request } from '../support/app.js';
import { HAS_TMUX, TMUX_REASON } from '../support/tmux.js';
import { waitUntil } from '../support/wait.js';
import type { WatchedAgent } from '../support/watched-agents.js';
import { ClaudeCode, prompt } from './agents/claude-code.js';
import { isMain, named, Observed, thinking, TOKENS, working } from './agents/observed.js';
import { ANSWER_TOKENS } from './agents/scripted-model.js';

const CONTEXT = ANSWER_TOKENS.input + ANSWER_TOKENS.cached;
const waiting = (label: string, waitingFor: string) => ({
  status: 'WAITING',
  activity: { kind: 'WAITING', label, waitingFor, inferred: false },
});
const call = (tool: string, input: Readonly<Record<string, unknown>>) => ({ tool, input });
const spawnAgent = (description: string, prompt: string, input: Readonly<Record<string, unknown>> = {}) =>
  call('Agent', { description, prompt, subagent_type: 'general-purpose', ...input });
const TOOLS = ['Bash', 'Agent', 'Task', 'TaskCreate', 'TaskUpdate'];

/** Releases, and the number of answers in a turn that starts a subagent: the newer one is notified of its end. */
const RELEASES = [
  ['claude-code', 3],
  ['claude-code-2.1.197', 2],
] as const;

describe.each(RELEASES)('%s', (folder, answers) => {
  test('shows the tool, the task, the tokens and the end of a session', async () => {
    await using claude = await ClaudeCode.prepare(folder, (place) => ({
      'MAIN-PROMPT': [
        { blocks: [{ text: 'I look.' }, call('Bash', { command: place.gate('ready') })] },
        { blocks: [call('TaskCreate', { subject: 'Build the shop', description: 'All of it' })] },
        { blocks: [call('TaskUpdate', { taskId: '1', status: 'in_progress' })] },
        { blocks: [{ text: 'Done.' }], hold: 'last' },
      ],
    }));
    await using observed = await Observed.start('claude-code', claude.place);
    await using session = claude.print('MAIN-PROMPT', TOOLS);
    await observed.agent(isMain, { ...working('Bash'), workspace: 'shop', type: 'session' });
    await claude.place.open('ready');
    await claude.model.gates.held('last');
    await observed.agent(isMain, { ...thinking, usage: { totalTokens: 3 * TOKENS } });
    let tasks: unknown = null;
    await waitUntil(
      async () => {
        tasks = (await request(observed.app, '{ tasks { title status } }')).data?.['tasks'];
        return isDeepStrictEqual(tasks, [{ title: 'Build the shop', status: 'IN_PROGRESS' }]);
      },
      { state: () => tasks },
    );
    claude.model.gates.release('last');
    expect(await session.ended(), session.output).toBe(0);
    const usage = { totalTokens: 4 * TOKENS, complete: true };
    await observed.agent(isMain, { status: 'TERMINATED', activity: null, usage, context: { usedTokens: CONTEXT } });
  });

  test('shows nested and parallel subagents with their parents and ends', async () => {
    await using claude = await ClaudeCode.prepare(folder, (place) => ({
      'PROMPT-LEFT': [{ blocks: [spawnAgent('Nested', 'PROMPT-NESTED', { run_in_background: false })] }],
      'PROMPT-NESTED': [{ blocks: [call('Bash', { command: place.gate('nested') })] }],
      'PROMPT-RIGHT': [{ blocks: [call('Bash', { command: place.gate('right') })] }],
      'MAIN-PROMPT': [
        {
          blocks: [
            spawnAgent('Left', 'PROMPT-LEFT', { run_in_background: false }),
            spawnAgent('Right', 'PROMPT-RIGHT', { run_in_background: false }),
          ],
        },
      ],
    }));
    await using observed = await Observed.start('claude-code', claude.place);
    await using session = claude.print('MAIN-PROMPT', TOOLS);
    const main = await observed.agent(isMain, working('Agent'));
    const id = (nativeId: string): string => `claude-code:${nativeId}`;
    const left = await observed.agent(named('Left'), { ...working('Agent'), parentId: id(main.nativeId) });
    await observed.agent(named('Right'), { ...working('Bash'), parentId: id(main.nativeId) });
    await observed.agent(named('Nested'), { ...working('Bash'), parentId: id(left.nativeId), type: 'general-purpose' });
    await claude.place.open('right');
    await observed.agent(named('Right'), { status: 'TERMINATED', usage: { totalTokens: 2 * TOKENS } });
    await observed.agent(named('Nested'), working('Bash'));
    await claude.place.open('nested');
    expect(await session.ended(), session.output).toBe(0);
    for (const name of ['Left', 'Right', 'Nested']) await observed.agent(named(name), { status: 'TERMINATED' });
    await observed.agent(isMain, { status: 'TERMINATED', usage: { totalTokens: 2 * TOKENS, complete: true } });
    expect([...observed.watched.agents.values()]).toHaveLength(4);
  });

  test.skipIf(!HAS_TMUX)(
    `shows a background subagent after the turn of its session has ended${TMUX_REASON}`,
    async () => {
      await using claude = await ClaudeCode.prepare(folder, (place) => ({
        'PROMPT-BACK': [{ blocks: [call('Bash', { command: place.gate('back') })] }],
        'MAIN-PROMPT': [
          { blocks: [spawnAgent('Back', 'PROMPT-BACK', { run_in_background: true })] },
          { blocks: [{ text: 'It runs.' }] },
          { blocks: [{ text: 'It has ended.' }], hold: 'notified' },
        ],
      }));
      await using observed = await Observed.start('claude-code', claude.place);
      await using terminal = await claude.interact(['--allowedTools', TOOLS.join()]);
      await observed.agent(isMain, { status: 'IDLE' });
      await prompt(terminal, 'MAIN-PROMPT');
      await observed.agent(named('Back'), working('Bash'));
      await observed.agent(isMain, { status: 'IDLE', activity: null });
      await claude.place.open('back');
      await observed.agent(named('Back'), { status: 'TERMINATED', activity: null });
      await claude.model.gates.held('notified');
      await observed.agent(isMain, thinking);
      claude.model.gates.release('notified');
      await observed.agent(isMain, { status: 'IDLE', activity: null, usage: { totalTokens: 3 * TOKENS } });
      await terminal.send('/exit', 'Enter');
      await observed.agent(isMain, { status: 'TERMINATED' });
    },
  );

  test.skipIf(!HAS_TMUX)(
    `shows a wait for permission, its end, and an interrupt, without hooks${TMUX_REASON}`,
    async () => {
      await using claude = await ClaudeCode.prepare(folder, (place) => ({
        'MAIN-PROMPT': [{ blocks: [call('Bash', { command: `touch made; ${place.gate('never')}` })] }],
        'PROMPT-REFUSED': [{ blocks: [call('Bash', { command: 'touch refused' })] }],
      }));
      await using observed = await Observed.start('claude-code', claude.place);
      await using terminal = await claude.interact();
      await prompt(terminal, 'MAIN-PROMPT');
      await observed.agent(isMain, waiting('Bash', 'PERMISSION'));
      await observed.press(terminal, 'Enter', isMain, working('Bash'));
      await observed.press(terminal, 'Escape', isMain, { status: 'IDLE', activity: null });
      await terminal.shows(/Interrupted/);
      await prompt(terminal, 'PROMPT-REFUSED');
      await observed.agent(isMain, waiting('Bash', 'PERMISSION'));
      await observed.press(terminal, 'Escape', isMain, {
        status: 'IDLE',
        activity: null,
        usage: { totalTokens: 2 * TOKENS },
      });
    },
  );

  test.skipIf(!HAS_TMUX)(`shows the wait of a subagent and a compaction through hooks${TMUX_REASON}`, async () => {
    await using claude = await ClaudeCode.prepare(folder, (place) => ({
      'PROMPT-ASKING': [{ blocks: [call('Bash', { command: `touch made; ${place.gate('made')}` })] }],
      'MAIN-PROMPT': [{ blocks: [spawnAgent('Asking', 'PROMPT-ASKING', { run_in_background: false })] }],
      'Your task is to create a detailed summary': [{ blocks: [{ text: 'A summary.' }], hold: 'summary' }],
    }));
    await using observed = await Observed.start('claude-code', claude.place, { withHooks: true });
    const settings = await claude.writeHookSettings(observed.hooksPort ?? 0);
    await using terminal = await claude.interact(['--settings', settings]);
    await prompt(terminal, 'MAIN-PROMPT');
    await observed.agent(named('Asking'), waiting('Bash', 'PERMISSION'));
    await observed.watched.until((agents) => agents.some((agent) => isMain(agent) && agent.status !== 'WAITING'));
    await observed.press(terminal, 'Enter', named('Asking'), working('Bash'));
    await claude.place.open('made');
    await observed.agent(named('Asking'), { status: 'TERMINATED' });
    await observed.agent(isMain, { status: 'IDLE', usage: { totalTokens: answers * TOKENS } });
    await terminal.send('/compact', 'Enter');
    await claude.model.gates.held('summary');
    await observed.agent(isMain, { status: 'BUSY', activity: { kind: 'COMPACTING' } });
    claude.model.gates.release('summary');
    await observed.watched.until((agents) => {
      const main = agents.find(isMain);
      return main?.status === 'IDLE' && main.context?.usedTokens !== CONTEXT;
    });
    await terminal.send('/exit', 'Enter');
    await observed.agent(isMain, { status: 'TERMINATED' });
  });

  test.skipIf(!HAS_TMUX)(`shows questions, plans and their ends${TMUX_REASON}`, async () => {
    const option = (label: string) => ({ label, description: label });
    const question = {
      question: 'Which?',
      header: 'Which',
      multiSelect: false,
      options: [option('Red'), option('Blue')],
    };
    await using claude = await ClaudeCode.prepare(folder, () => ({
      'MAIN-PROMPT': [{ blocks: [call('AskUserQuestion', { questions: [question] })] }],
      'PROMPT-PLAN': [
        { blocks: [call('EnterPlanMode', {})] },
        { blocks: [call('ExitPlanMode', { plan: 'Build it.' })] },
      ],
    }));
    await using observed = await Observed.start('claude-code', claude.place);
    await using terminal = await claude.interact();
    await prompt(terminal, 'MAIN-PROMPT');
    await observed.agent(isMain, waiting('AskUserQuestion', 'ANSWER'));
    await observed.press(terminal, 'Enter', isMain, {
      status: 'IDLE',
      activity: null,
      usage: { totalTokens: 2 * TOKENS },
    });
    await prompt(terminal, 'PROMPT-PLAN');
    await observed.agent(isMain, waiting('ExitPlanMode', 'PLAN_APPROVAL'));
    await observed.press(terminal, 'Escape', isMain, { status: 'IDLE', activity: null });
  });

  test.skipIf(!HAS_TMUX)(`shows that an interrupt ends the subagents of the turn${TMUX_REASON}`, async () => {
    await using claude = await ClaudeCode.prepare(folder, (place) => ({
      'PROMPT-SUB': [{ blocks: [call('Bash', { command: place.gate('never') })] }],
      'MAIN-PROMPT': [{ blocks: [spawnAgent('Sub', 'PROMPT-SUB', { run_in_background: false })] }],
    }));
    await using observed = await Observed.start('claude-code', claude.place);
    await using terminal = await claude.interact(['--allowedTools', TOOLS.join()]);
    await prompt(terminal, 'MAIN-PROMPT');
    await observed.agent(named('Sub'), working('Bash'));
    await observed.press(terminal, 'Escape', isMain, { status: 'IDLE', activity: null });
    if (answers === 2) await observed.agent(named('Sub'), { status: 'TERMINATED', activity: null });
  });

  test('shows a failure, and the end of a session that was killed', async () => {
    await using claude = await ClaudeCode.prepare(folder, (place) => ({
      'PROMPT-BAD': [{ blocks: [], error: 'invalid_request_error' }],
      'PROMPT-SUB': [{ blocks: [call('Bash', { command: place.gate('never') })] }],
      'MAIN-PROMPT': [{ blocks: [spawnAgent('Sub', 'PROMPT-SUB', { run_in_background: false })] }],
    }));
    await using observed = await Observed.start('claude-code', claude.place);
    await using failing = claude.print('PROMPT-BAD', TOOLS);
    await failing.ended();
    const failed = await observed.agent(isMain, { status: 'ERROR', activity: null });
    await using session = claude.print('MAIN-PROMPT', TOOLS);
    const isOther = (agent: WatchedAgent): boolean => isMain(agent) && agent.nativeId !== failed.nativeId;
    await observed.agent(isOther, working('Agent'));
    await observed.agent(named('Sub'), working('Bash'));
    session.kill('SIGKILL');
    await session.ended();
    await observed.agent(isOther, { status: 'TERMINATED', activity: null });
    await observed.agent(named('Sub'), { status: 'TERMINATED', activity: null });
    // Its end does not hide the failure.
    expect(observed.watched.agents.get(`claude-code:${failed.nativeId}`)?.status).toBe('ERROR');
  });

  test('counts the answers of a session once when it is resumed or forked', async () => {
    await using claude = await ClaudeCode.prepare(folder, () => ({
      'MAIN-PROMPT': [{ blocks: [{ text: 'Done.' }] }],
      'PROMPT-NEXT': [{ blocks: [{ text: 'Done.' }] }],
      'PROMPT-FORK': [{ blocks: [{ text: 'Done.' }] }],
    }));
    await using observed = await Observed.start('claude-code', claude.place);
    const run = async (prompt: string, args: readonly string[]): Promise<void> => {
      await using session = claude.print(prompt, TOOLS, args);
      expect(await session.ended(), session.output).toBe(0);
    };
    await run('MAIN-PROMPT', []);
    const { nativeId } = await observed.agent(isMain, { usage: { totalTokens: TOKENS } });
    await run('PROMPT-NEXT', ['--resume', nativeId]);
    await observed.agent(isMain, { nativeId, usage: { totalTokens: 2 * TOKENS } });
    await run('PROMPT-FORK', ['--resume', nativeId, '--fork-session']);
    const isFork = (agent: WatchedAgent): boolean => isMain(agent) && agent.nativeId !== nativeId;
    await observed.agent(isFork, { usage: { totalTokens: TOKENS } });
    await observed.agent(isMain, { nativeId, usage: { totalTokens: 2 * TOKENS } });
  });
});
