import { symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PROGRAM } from '../support/app.js';
import { TAP_KEY_FILE } from '../support/tap-key-file.js';
import { ClaudeCode, claudeCommand } from './agents/claude-code.js';
import { isMain, named, Observed, thinking, TOKENS, working } from './agents/observed.js';
import { AgentProcess } from './agents/workplace.js';

const FOLDER = 'claude-code';
const CLAUDE_FLOW = fileURLToPath(new URL('servers/claude-flow/node_modules/.bin/claude-flow', import.meta.url));

test('claude-code: shows the agents of an MCP server behind a tap beside the session that created them', async () => {
  await using claude = await ClaudeCode.prepare(FOLDER, () => ({
    'MAIN-PROMPT': [
      { blocks: [{ tool: 'mcp__flow__agent_spawn', input: { agentType: 'coder', agentId: 'from-claude' } }] },
      { blocks: [{ text: 'Done.' }], hold: 'last' },
    ],
  }));
  await using observed = await Observed.start('claude-code', claude.place);
  const tap = ['tap', '--server', 'flow', '--url', observed.app.url, '--key-file', TAP_KEY_FILE, '--'];
  const servers = { flow: { command: process.execPath, args: [PROGRAM, ...tap, CLAUDE_FLOW, 'mcp', 'start'] } };
  const config = claude.place.directory.path('mcp.json');
  await writeFile(config, JSON.stringify({ mcpServers: servers }));
  const args = ['--mcp-config', config, '--strict-mcp-config'];
  await using session = claude.print('MAIN-PROMPT', ['mcp__flow__agent_spawn'], args);
  await claude.model.gates.held('last');
  await observed.agent(({ serverId }) => serverId === 'claude-code', { ...thinking, usage: { totalTokens: TOKENS } });
  await observed.agent(({ serverId }) => serverId === 'flow', { nativeId: 'from-claude', type: 'coder' });
  claude.model.gates.release('last');
  expect(await session.ended(), session.output).toBe(0);
  await observed.agent(({ serverId }) => serverId === 'claude-code', {
    status: 'TERMINATED',
    usage: { totalTokens: 2 * TOKENS },
  });
});

test('claude-code: shows the session and the subagents behind a hive of claude-flow', async () => {
  await using claude = await ClaudeCode.prepare(FOLDER, (place) => ({
    'PROMPT-LEFT': [{ blocks: [{ tool: 'Bash', input: { command: place.gate('left') } }] }],
    'PROMPT-RIGHT': [{ blocks: [{ tool: 'Bash', input: { command: place.gate('right') } }] }],
    'MAIN-PROMPT': [
      {
        blocks: ['Left', 'Right'].map((description) => ({
          tool: 'Agent',
          input: {
            description,
            prompt: `PROMPT-${description.toUpperCase()}`,
            subagent_type: 'general-purpose',
            run_in_background: false,
          },
        })),
      },
    ],
  }));
  await using observed = await Observed.start('claude-code', claude.place);
  const bin = claude.place.directory.path('tmp');
  await symlink(claudeCommand(FOLDER), `${bin}/claude`);
  // Claude Code skips permissions as root only in a sandbox.
  const env = { ...claude.env, PATH: `${bin}:${claude.env['PATH'] ?? ''}`, IS_SANDBOX: '1' };
  await using init = new AgentProcess(CLAUDE_FLOW, ['hive-mind', 'init'], claude.place.project, env);
  expect(await init.ended(), init.output).toBe(0);
  const args = ['hive-mind', 'spawn', '-n', '3', '-o', 'MAIN-PROMPT', '--claude', '--non-interactive'];
  await using hive = new AgentProcess(CLAUDE_FLOW, args, claude.place.project, env);
  const main = await observed.agent(isMain, working('Agent'));
  const parentId = `claude-code:${main.nativeId}`;
  for (const name of ['Left', 'Right']) await observed.agent(named(name), { ...working('Bash'), parentId });
  await claude.place.open('left');
  await observed.agent(named('Left'), { status: 'TERMINATED' });
  await claude.place.open('right');
  await observed.agent(named('Right'), { status: 'TERMINATED' });
  expect(await hive.ended(), hive.output).toBe(0);
  await observed.agent(isMain, { status: 'TERMINATED', activity: null });
});
