import { readFile, stat, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createClaudeCodeSource, type Source, PriceList } from '../../src/observers/index.js';
import { agentsOf, invented, ObservedDirectory } from './observed-directory.js';

const { session, path, prompt, call, result, answer } = invented;

/** Source that counts the records that it reduces. */
function countingSource(): { readonly source: Source; readonly records: () => number } {
  const source = createClaudeCodeSource({ shownText: 'titles', prices: new PriceList() });
  let count = 0;
  const reduce: Source['reduce'] = (state, record) => {
    count += 1;
    source.reduce(state, record);
  };
  return { source: { ...source, reduce }, records: () => count };
}

async function observedOnce(): Promise<ObservedDirectory> {
  const directory = await ObservedDirectory.create();
  await directory.write(path, prompt(0) + call(1, 'a') + result(2, 'a') + answer(3, 'b'));
  await using observer = directory.observe();
  await observer.completed();
  return directory;
}

test('Observer reads only what was appended since its last run', async () => {
  await using directory = await observedOnce();
  await directory.append(path, prompt(4));
  const { source, records } = countingSource();
  await using observer = directory.observe({ source });
  await observer.settled();

  expect(records()).toBe(1);
  expect(agentsOf(observer).get(session)).toMatchObject({
    status: 'working',
    usage: { outputTokens: 20, complete: true },
  });
});

test('Observer keeps its index private', async () => {
  await using directory = await observedOnce();

  expect((await stat(directory.indexFile)).mode & 0o777).toBe(0o600);
});

test.each([
  ['is damaged', (content: Buffer) => Buffer.concat([content.subarray(0, -1), Buffer.from('x')])],
  ['is cut off', (content: Buffer) => content.subarray(0, 40)],
  ['is empty', () => Buffer.alloc(0)],
])('Observer reads all files again when its index %s', async (_, damage) => {
  await using directory = await observedOnce();
  await writeFile(directory.indexFile, damage(await readFile(directory.indexFile)));
  const { source, records } = countingSource();
  await using observer = directory.observe({ source });
  await observer.settled();

  expect(records()).toBe(4);
  expect(agentsOf(observer).get(session)).toMatchObject({ status: 'idle' });
});

test('Observer does not use the states of a reader that shows other texts', async () => {
  await using directory = await observedOnce();
  const { source, records } = countingSource();
  await using observer = directory.observe({ source, reader: 'another one' });
  await observer.settled();

  expect(records()).toBe(4);
});

test('Observer reads a file again when it was replaced since the last run', async () => {
  await using directory = await observedOnce();
  await directory.write(path, prompt(9));
  await using observer = directory.observe();
  await observer.settled();

  expect(agentsOf(observer).get(session)).toMatchObject({ status: 'working', usage: { outputTokens: 0 } });
});
