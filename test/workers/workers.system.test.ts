import { describe, expect, test } from 'vitest';
import { StartError } from '../../src/workers/index.js';
import { Rig, SHUTDOWN_MS } from './rig.js';

describe('workers', () => {
  test('answer on one port in turn, each in a process of its own; the others start when the first accepts', async () => {
    await using rig = new Rig(3);
    const answers = await Promise.all([rig.get(), rig.get(), rig.get()]);
    expect(answers.map((answer) => answer.split(' ')[0]).sort()).toEqual(['1', '2', '3']);
    expect(new Set(answers.map((answer) => answer.split(' ')[1])).size).toBe(3);
    expect(rig.messages()).toEqual(['worker 1 is started', 'worker 2 is started', 'worker 3 is started']);
    expect(await (await rig.workers).stop()).toBe(true);
    expect(rig.messages().slice(3).sort()).toEqual([1, 2, 3].map((n) => `worker ${n} has stopped: exit code 0`));
  });

  test('one that ends unasked is started again after a pause, in its place, while the others go on', async () => {
    await using rig = new Rig(2);
    const before = await rig.end(1);
    await rig.logged(/again/);
    expect(rig.messages().at(-1)).toBe('worker 1 has ended (exit code 7) and is started again in 500 ms');
    const others = [await rig.get(), await rig.get()];
    expect(others).toEqual([expect.stringMatching(/^2 /), others[0]]);
    rig.clock.advance(499);
    expect(rig.messages().at(-1)).toMatch(/again/);
    rig.clock.advance(1);
    expect(await rig.answerOf(1)).not.toBe(`1 ${before}`);
  });

  test('pauses grow, and start over when a worker has lasted a minute', async () => {
    await using rig = new Rig(2);
    for (const [round, lastedMs] of [0, 59_999, 60_000, 0].entries()) {
      rig.clock.advance(lastedMs);
      await rig.end(1);
      await rig.logged(/again/, round + 1);
      rig.clock.advance(30_000);
      await rig.answerOf(1);
    }
    expect(rig.pausesMs()).toEqual([500, 1_000, 500, 1_000]);
  });

  test('one that never comes to anything is given up, which is said; the program is ready without it', async () => {
    await using rig = new Rig(2, (number) => (number === 1 ? 'good' : 'broken'));
    for (let round = 1; round < 10; round += 1) {
      await rig.logged(/again/, round);
      rig.clock.advance(30_000);
    }
    expect(await rig.place()).not.toBeNull();
    expect(rig.pausesMs()).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(rig.messages().at(-1)).toMatch(/^worker 2 is given up after 10 starts in a row \(exit code 3\): .*again$/);
    expect(rig.lines.at(-1)).toMatchObject({ level: 'error' });
    expect(await rig.get()).toMatch(/^1 /);
  });

  test('when all are given up it is over', async () => {
    await using rig = new Rig(1, (_number, nth) => (nth === 1 ? 'good' : 'broken'));
    await rig.end(1);
    for (let round = 1; round < 10; round += 1) {
      await rig.logged(/again/, round);
      rig.clock.advance(30_000);
    }
    await (await rig.workers).ended();
    expect(rig.messages().at(-1)).toMatch(/is given up/);
  });

  test('what keeps the first from starting is told once: no other is started, and its exit code is passed on', async () => {
    await using rig = new Rig(4, () => 'broken');
    const error = await rig.workers.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({ code: 3, message: 'the first worker could not be started: exit code 3' });
    expect(rig.messages()).toEqual(['worker 1 is started']);
  });

  test('asked to stop while they start, they stop', async () => {
    await using rig = new Rig(3);
    rig.ask();
    expect(await rig.place()).toBeNull();
    expect(await (await rig.workers).stop()).toBe(true);
  });

  test('asked to stop during a pause, nothing is started any more', async () => {
    await using rig = new Rig(2);
    await rig.end(1);
    await rig.logged(/again/);
    expect(await (await rig.workers).stop()).toBe(true);
    expect(rig.messages().filter((message) => message.endsWith('is started'))).toHaveLength(2);
  });

  test('one that ends with an error when it is asked to stop is told of', async () => {
    await using rig = new Rig(2, (number) => (number === 1 ? 'good' : 'unwell'));
    await rig.place();
    expect(await (await rig.workers).stop()).toBe(false);
    expect(rig.messages()).toContain('worker 2 has stopped: exit code 5');
  });

  test('one that does not heed being asked is killed when its time and that of its children is over', async () => {
    await using rig = new Rig(2, (number) => (number === 1 ? 'good' : 'deaf'));
    await rig.place();
    const stopped = (await rig.workers).stop();
    await rig.logged(/worker 1 has stopped/);
    rig.clock.advance(SHUTDOWN_MS + 4_999);
    expect(rig.messages()).not.toContain('a worker has not ended in time and is killed');
    rig.clock.advance(1);
    expect(await stopped).toBe(false);
    expect(rig.messages().slice(-2)).toEqual([
      'a worker has not ended in time and is killed',
      'worker 2 has stopped: signal SIGKILL',
    ]);
  });
});
