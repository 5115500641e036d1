import { readFile, stat, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createClaudeCodeSource, type Source, PriceList } from '../../src/observers/index.js';
import { StateIndex, type StoredLog } from '../../src/observers/files/state-index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';
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

test('StateIndex loads what it has saved when states are shorter and longer than a batch', async () => {
  await using directory = await TemporaryDirectory.create();
  const index = new StateIndex({ file: directory.path('index'), reader: 'r', logger: silentLogger });
  // A batch has 262,144 bytes.
  const sizes = [3, 100_000, 261_000, ...Array.from({ length: 40 }, (_, step) => 261_700 + 10 * step), 600_000, 0, 1];
  const stats = { size: 1, modifiedAtMs: 2, createdAtMs: 3, inode: 4 };
  const position = { bytes: 1, mark: Buffer.from('mark') };
  await index.save(
    sizes.map((size, number): [string, StoredLog] => [
      `${number}`,
      { state: { bytes: Buffer.alloc(size, number) }, position, stats, headMark: Buffer.from('head') },
    ]),
  );
  const loaded = await index.load();
  expect([...loaded.keys()]).toEqual(sizes.map((_, number) => `${number}`));
  for (const [number, size] of sizes.entries()) {
    const stored = loaded.get(`${number}`);
    const { bytes } = stored?.state as { readonly bytes: Uint8Array }; // as saved
    expect(Buffer.alloc(size, number).equals(bytes)).toBe(true);
    expect(stored).toMatchObject({ stats, position: { bytes: 1 } });
  }
});
