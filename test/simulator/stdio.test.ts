import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { PROGRAM } from '../support/app.js';
import { callLine, INITIALIZE, line, Replies, run } from './running.js';

describe('a simulator over stdio', () => {
  test('answers, and its world moves with the clock', async () => {
    await using running = await run({});
    const replies = new Replies(running.stdout);
    const health = async (id: number): Promise<string | undefined> => {
      running.stdin.write(callLine(id, 'agent_list'));
      return (await replies.next())?.result?.content?.[0]?.text;
    };
    running.stdin.write(INITIALIZE);
    expect((await replies.next())?.result?.serverInfo?.name).toBe('ruflo');
    const first = await health(2);
    expect(await health(3)).toBe(first);
    running.clock.advance(5000);
    expect(await health(4)).not.toBe(first);
  });

  test('survives garbage, half lines, and a message that is too long', async () => {
    await using running = await run({ hz: 0 });
    const replies = new Replies(running.stdout);
    running.stdin.write(
      'no json\n\n{"json":"but no JSON-RPC"}\n[]\nnull\n{"jsonrpc":"2.0","id":9,"method":"no/such"}\n',
    );
    expect((await replies.next())?.error?.code).toBe(-32601);
    running.stdin.write(callLine(2, 'agent_spawn', { agentType: 'x'.repeat(11 * 1024 * 1024) }));
    running.stdin.write(INITIALIZE.slice(0, 20));
    running.stdin.write(INITIALIZE.slice(20));
    expect((await replies.next())?.id).toBe(1);
  });

  test('says that a tool is unknown as the real server does', async () => {
    await using running = await run({ hz: 0 });
    const replies = new Replies(running.stdout);
    running.stdin.write(callLine(2, 'no_such_tool'));
    expect((await replies.next())?.error).toEqual({ code: -32601, message: 'Tool not found: no_such_tool' });
  });

  test('refuses as the real ruv-swarm does', async () => {
    await using running = await run({ type: 'ruv-swarm', hz: 0 });
    const replies = new Replies(running.stdout);
    running.stdin.write(callLine(2, 'task_status', { taskId: 'nope' }));
    expect((await replies.next())?.error).toEqual({
      code: -32603,
      message: 'MCP tool error: Task not found: nope',
      data: { tool: 'task_status', error: 'Task not found: nope' },
    });
  });

  test.each([
    ['ends', (running: Awaited<ReturnType<typeof run>>) => running.stdin.end()],
    ['is torn down', (running: Awaited<ReturnType<typeof run>>) => running.stdin.destroy()],
  ])('ends, timers and all, when stdin %s', async (_how, end) => {
    await using running = await run({});
    expect(running.clock.pending).toBe(1);
    end(running);
    await running.simulator.ended;
    expect(running.clock.pending).toBe(0);
  });

  test('ends when it is closed', async () => {
    const running = await run({});
    await running[Symbol.asyncDispose]();
    await running.simulator.ended;
    expect(running.clock.pending).toBe(0);
  });

  test('a real process serves, and exits with 0 when its stdin closes', async () => {
    const child = spawn(process.execPath, [PROGRAM, 'simulate', '--type', 'claude-flow'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const replies = new Replies(child.stdout);
    child.stdin.write(INITIALIZE + line(null, 'notifications/initialized') + callLine(2, 'swarm_status'));
    expect((await replies.next())?.result?.serverInfo?.name).toBe('ruflo');
    expect((await replies.next())?.result?.content?.[0]?.text).toContain('hierarchical');
    child.stdin.end();
    expect(await exited).toEqual([0, null]);
  });
});
