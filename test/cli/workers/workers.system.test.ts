import { describe, expect, test } from 'vitest';
import { WorkerStartError } from '../../../src/cli/workers/worker-pool.js';
import { Rig, SHUTDOWN_MS } from './worker-setup.js';

describe('WorkerPool', () => {
  test('distributes requests on one port over processes of their own', async () => {
    await using rig = new Rig(3);
    const answers = await Promise.all([rig.get(), rig.get(), rig.get()]);
    expect(answers.map((answer) => answer.split(' ')[0]).sort()).toEqual(['1', '2', '3']);
    expect(new Set(answers.map((answer) => answer.split(' ')[1])).size).toBe(3);
    expect(rig.messages()).toEqual(['worker 1 started', 'worker 2 started', 'worker 3 started']);
    expect(await (await rig.workers).stop()).toBe(true);
    expect(rig.messages().slice(3).sort()).toEqual([1, 2, 3].map((n) => `worker ${n} stopped: exit code 0`));
  });

  test('restarts a worker that exits after a pause while the others keep answering', async () => {
    await using rig = new Rig(2);
    const before = await rig.end(1);
    await rig.logged(/restarting/);
    expect(rig.messages().at(-1)).toBe('worker 1 exited (exit code 7), restarting in 500 ms');
    const others = [await rig.get(), await rig.get()];
    expect(others).toEqual([expect.stringMatching(/^2 /), others[0]]);
    rig.clock.advance(499);
    expect(rig.messages().at(-1)).toMatch(/restarting/);
    rig.clock.advance(1);
    expect(await rig.answerOf(1)).not.toBe(`1 ${before}`);
  });

  test('doubles the restart pause and resets it when a worker has run for one minute', async () => {
    await using rig = new Rig(2);
    for (const [round, lastedMs] of [0, 59_999, 60_000, 0].entries()) {
      rig.clock.advance(lastedMs);
      await rig.end(1);
      await rig.logged(/restarting/, round + 1);
      rig.clock.advance(30_000);
      await rig.answerOf(1);
    }
    expect(rig.pausesMs()).toEqual([500, 1_000, 500, 1_000]);
  });

  test('gives up a worker after ten failures in a row and becomes ready without it', async () => {
    await using rig = new Rig(2, (number) => (number === 1 ? 'good' : 'broken'));
    for (let round = 1; round < 10; round += 1) {
      await rig.logged(/restarting/, round);
      rig.clock.advance(30_000);
    }
    expect(await rig.address()).not.toBeNull();
    expect(rig.pausesMs()).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(rig.messages().at(-1)).toMatch(/^worker 2 failed 10 times in a row \(exit code 3\): .*again$/);
    expect(rig.lines.at(-1)).toMatchObject({ level: 'error' });
    expect(await rig.get()).toMatch(/^1 /);
  });

  test('ends when all workers are given up', async () => {
    await using rig = new Rig(1, (_number, nth) => (nth === 1 ? 'good' : 'broken'));
    await rig.end(1);
    for (let round = 1; round < 10; round += 1) {
      await rig.logged(/restarting/, round);
      rig.clock.advance(30_000);
    }
    await (await rig.workers).ended();
    expect(rig.messages().at(-1)).toMatch(/failed 10 times in a row/);
  });

  test('rejects with the exit code of the first worker and starts no other when the first worker fails', async () => {
    await using rig = new Rig(4, () => 'broken');
    const error = await rig.workers.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkerStartError);
    expect(error).toMatchObject({ code: 3, message: 'the first worker could not be started: exit code 3' });
    expect(rig.messages()).toEqual(['worker 1 started']);
  });

  test('stops all workers when it is stopped while they start', async () => {
    await using rig = new Rig(3);
    rig.requestStop();
    expect(await rig.address()).toBeNull();
    expect(await (await rig.workers).stop()).toBe(true);
  });

  test('starts no worker when it is stopped during a restart pause', async () => {
    await using rig = new Rig(2);
    await rig.end(1);
    await rig.logged(/restarting/);
    expect(await (await rig.workers).stop()).toBe(true);
    expect(rig.messages().filter((message) => message.endsWith(' started'))).toHaveLength(2);
  });

  test('reports a worker that exits with an error during shutdown', async () => {
    await using rig = new Rig(2, (number) => (number === 1 ? 'good' : 'unwell'));
    await rig.address();
    expect(await (await rig.workers).stop()).toBe(false);
    expect(rig.messages()).toContain('worker 2 stopped: exit code 5');
  });

  test('kills a worker that does not exit within the shutdown time plus the grace period of its children', async () => {
    await using rig = new Rig(2, (number) => (number === 1 ? 'good' : 'deaf'));
    await rig.address();
    const stopped = (await rig.workers).stop();
    await rig.logged(/worker 1 stopped/);
    rig.clock.advance(SHUTDOWN_MS + 4_999);
    expect(rig.messages()).not.toContain('worker did not exit in time and is killed');
    rig.clock.advance(1);
    expect(await stopped).toBe(false);
    expect(rig.messages().slice(-2)).toEqual([
      'worker did not exit in time and is killed',
      'worker 2 stopped: signal SIGKILL',
    ]);
  });
});
