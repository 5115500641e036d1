import { open, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentsOf, invented, ObservedDirectory, problemsOf } from './observed-directory.js';

const { session, path, prompt, call, result, answer } = invented;

/** Greatest growth of the memory of a process that reads a file in parts. */
const MAX_GROWTH_BYTES = 200 * 1024 * 1024;

test('Observer knows what a session does whose transcript has 1 GB, with bounded memory', async () => {
  await using directory = await ObservedDirectory.create();
  await directory.write(path, prompt(0) + call(1, 'first'));
  // A hole in the file, which reads as one line of a gigabyte.
  await truncate(join(directory.root, path), 1024 ** 3);
  await directory.append(path, `\n${call(2, 'last', 'WebFetch')}`);
  const before = process.memoryUsage().rss;
  await using observer = directory.observe();
  await observer.ready;
  expect(agentsOf(observer).get(session)).toMatchObject({ status: 'working', activity: { label: 'WebFetch' } });

  await observer.completed();
  expect(agentsOf(observer).get(session)).toMatchObject({ activity: { label: 'WebFetch' }, usage: { complete: true } });
  expect(problemsOf(observer)).toEqual({ 'long-line': 1 });
  expect(process.memoryUsage().rss - before).toBeLessThan(MAX_GROWTH_BYTES);
});

test('Observer skips a line of 50 MB that is written in parts', async () => {
  await using directory = await ObservedDirectory.create();
  await directory.write(path, prompt(0) + call(1, 'a'));
  await using observer = directory.observe();
  await observer.settled();
  const file = await open(join(directory.root, path), 'a');
  const part = Buffer.alloc(5_000_000, 'x');
  for (let written = 0; written < 50_000_000; written += part.length) {
    await file.write(part);
    await observer.settled();
  }
  await file.close();
  await directory.append(path, `\n${result(2, 'a')}${answer(3, 'b')}`);
  await observer.completed();

  expect(agentsOf(observer).get(session)).toMatchObject({ status: 'idle', usage: { outputTokens: 20 } });
  expect(problemsOf(observer)).toEqual({ 'long-line': 1 });
});

test('Observer lists 10,000 sessions, and again after a restart', async () => {
  await using directory = await ObservedDirectory.create();
  const idOf = (number: number): string => `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`;
  const transcript = prompt(0) + call(1, 'a') + result(2, 'a') + answer(3, 'b');
  for (let number = 0; number < 10_000; number += 1) {
    await directory.write(`projects/-home-dev-${number % 100}/${idOf(number)}.jsonl`, transcript);
  }
  for (let run = 0; run < 2; run += 1) {
    await using observer = directory.observe();
    await observer.completed();
    expect(observer.lists.agents.size).toBe(10_000);
    expect(problemsOf(observer)).toEqual({});

    await directory.append(`projects/-home-dev-7/${idOf(7)}.jsonl`, prompt(10 + run));
    await observer.settled();
    expect(agentsOf(observer).get(idOf(7))?.status).toBe('working');
  }
  expect((await readFile(directory.indexFile)).length).toBeGreaterThan(0);
});
