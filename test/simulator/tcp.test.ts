import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { callLine, INITIALIZE, Replies, run, STEP_MS } from './running.js';

async function open(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('runSimulator over TCP', () => {
  test('reads lines in any chunks, one or several at a time', async () => {
    await using running = await run({ transport: 'tcp', hz: 0 });
    const socket = await open(running.url);
    socket.setNoDelay(true);
    const replies = new Replies(socket);
    const text = INITIALIZE + callLine(2, 'swarm_status') + callLine(3, 'task_summary');
    socket.write(text.slice(0, 30));
    socket.write(text.slice(30, INITIALIZE.length + 10));
    socket.write(text.slice(INITIALIZE.length + 10));
    const ids = [(await replies.next())?.id, (await replies.next())?.id, (await replies.next())?.id];
    expect(ids).toEqual([1, 2, 3]);
    socket.destroy();
  });

  test('shows the same world on all sockets and keeps working when one closes', async () => {
    await using running = await run({ transport: 'tcp' });
    const [one, other] = [await open(running.url), await open(running.url)];
    const [oneReplies, otherReplies] = [new Replies(one), new Replies(other)];
    one.write(callLine(1, 'agent_spawn', { agentType: 'coder', agentId: 'mine' }));
    await oneReplies.next();
    one.resetAndDestroy();
    running.clock.advance(STEP_MS);
    other.write(callLine(1, 'agent_status', { agentId: 'mine' }));
    expect((await otherReplies.next())?.result?.content?.[0]?.text).toContain('"agentType": "coder"');
    other.destroy();
  });

  test('keeps the connection after invalid lines and a message above the limit', async () => {
    await using running = await run({ transport: 'tcp', hz: 0 });
    const socket = await open(running.url);
    const replies = new Replies(socket);
    socket.write('garbage\n');
    socket.write(`${'x'.repeat(11 * 1024 * 1024)}\n`);
    socket.write(INITIALIZE);
    expect((await replies.next())?.id).toBe(1);
    socket.destroy();
  });

  test('listens on loopback only and closes all connections when it is disposed', async () => {
    const running = await run({ transport: 'tcp' });
    expect(running.url).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    const socket = await open(running.url);
    const closed = once(socket, 'close');
    await running[Symbol.asyncDispose]();
    await closed;
    await running.simulator.ended;
    expect(running.clock.pending).toBe(0);
  });

  test('names the port that it cannot bind', async () => {
    await using running = await run({ transport: 'tcp' });
    const port = Number(new URL(running.url).port);
    await expect(run({ transport: 'tcp', port })).rejects.toThrow('EADDRINUSE');
  });
});
