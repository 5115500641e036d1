import { chmod, mkdir, rm, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Logger } from '../../src/shared/index.js';
import { directoryFingerprint } from '../support/temporary-directory.js';
import { agentsOf, invented, ObservedDirectory, problemsOf } from './observed-directory.js';

const { session, path, prompt, call, result, answer } = invented;
const OTHER = '22222222-2222-4333-8444-555555555555';

describe('Observer', () => {
  test('waits for the end of a line that is written in parts', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0));
    await using observer = directory.observe();
    const bytes = Buffer.from(call(1, 'toolu_ü'));
    const middle = bytes.indexOf(Buffer.from('ü')) + 1;
    await directory.append(path, bytes.subarray(0, middle));
    await observer.settled();
    expect(agentsOf(observer).get(session)?.activity).toMatchObject({ kind: 'model' });

    await directory.append(path, bytes.subarray(middle));
    await observer.settled();
    expect(agentsOf(observer).get(session)?.activity).toMatchObject({ kind: 'tool', label: 'Bash' });
    expect(problemsOf(observer)).toEqual({});
  });

  test('skips and counts lines that are no JSON, and logs the first one', async () => {
    await using directory = await ObservedDirectory.create();
    const logged: unknown[] = [];
    const record = (fields: object): void => void logged.push(fields);
    const logger: Logger = { debug: () => undefined, info: record, warn: record, error: record };
    await directory.write(path, `${prompt(0)}{"type":"assis\n\n\u0000\u0001\n[1,2]\nnull\n"text"\n${call(1, 'a')}`);
    await using observer = directory.observe({ logger });
    await observer.settled();

    expect(agentsOf(observer).get(session)).toMatchObject({ status: 'working', activity: { label: 'Bash' } });
    expect(problemsOf(observer)).toEqual({ 'broken-line': 2 });
    expect(logged).toEqual([{ kind: 'broken-line', file: path }]);
  });

  test('skips a line above the maximum length, and closes the call that it answered', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(
      path,
      prompt(0) + call(1, 'a') + result(2, 'a', 'x'.repeat(9_000_000)) + call(3, 'b', 'Read'),
    );
    await using observer = directory.observe();
    await observer.completed();

    const agent = agentsOf(observer).get(session);
    expect(agent).toMatchObject({
      status: 'working',
      activity: { label: 'Read' },
      usage: { outputTokens: 20, complete: true },
    });
    await directory.append(path, result(4, 'b') + answer(5, 'c'));
    await observer.settled();
    expect(agentsOf(observer).get(session)).toMatchObject({ status: 'idle' });
    expect(problemsOf(observer)).toEqual({ 'long-line': 1 });
  });

  test('knows what the agent of a large file does before the file is read completely', async () => {
    await using directory = await ObservedDirectory.create();
    const turns = Array.from({ length: 400 }, (_, turn) =>
      [call(4 * turn + 1, `call${turn}`), result(4 * turn + 2, `call${turn}`, 'x'.repeat(1_000))].join(''),
    );
    await directory.write(path, prompt(0) + turns.join('') + call(4_000, 'last', 'WebFetch'));
    await using observer = directory.observe();
    await observer.ready;
    const first = agentsOf(observer).get(session);
    expect(first).toMatchObject({ status: 'working', activity: { label: 'WebFetch' }, workspace: 'shop' });
    expect(first?.usage?.complete).toBe(false);

    await observer.completed();
    expect(agentsOf(observer).get(session)).toMatchObject({
      status: 'working',
      activity: { label: 'WebFetch' },
      usage: { complete: true, outputTokens: 4_010 },
    });
  });

  test.each([
    ['shrinks', (directory: ObservedDirectory) => truncate(join(directory.root, path), Buffer.byteLength(prompt(0)))],
    ['is replaced by another one', (directory: ObservedDirectory) => directory.write(path, prompt(7))],
    [
      'is rewritten in place with the same beginning',
      (directory: ObservedDirectory) =>
        directory.write(path, prompt(0) + call(1, 'other') + result(2, 'other') + prompt(3).repeat(30)),
    ],
    [
      'is replaced by a longer one',
      (directory: ObservedDirectory) => directory.write(path, prompt(7) + answer(8, 'x').repeat(20) + prompt(9)),
    ],
  ])('begins again when a file %s', async (_, change) => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0) + call(1, 'a') + result(2, 'a') + answer(3, 'b'));
    await using observer = directory.observe();
    await observer.settled();
    expect(agentsOf(observer).get(session)?.status).toBe('idle');

    await change(directory);
    await observer.settled();
    expect(agentsOf(observer).get(session)).toMatchObject({ status: 'working', activity: { kind: 'model' } });
    expect(problemsOf(observer)).toEqual({ 'replaced-file': 1 });
  });

  test('removes the agents of a file that vanishes', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0));
    await directory.write(`projects/-home-dev-shop/${OTHER}.jsonl`, prompt(0));
    await using observer = directory.observe();
    await observer.settled();
    await rm(join(directory.root, path));
    await observer.settled();

    expect([...agentsOf(observer).keys()]).toEqual([OTHER]);
  });

  test('survives a directory that does not exist yet, and one that vanishes', async () => {
    await using directory = await ObservedDirectory.create();
    await rm(directory.root, { recursive: true });
    await using observer = directory.observe();
    await observer.settled();
    await directory.write(path, prompt(0));
    await observer.settled();
    expect([...agentsOf(observer).keys()]).toEqual([session]);

    await rm(directory.root, { recursive: true });
    await observer.settled();
    expect([...agentsOf(observer).keys()]).toEqual([]);
  });

  test('follows no link that leads in a circle or out of the directory, and links within it once', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0));
    await directory.write('projects/-other/x.txt', '');
    await mkdir(directory.outside('private'));
    await symlink(directory.root, join(directory.root, 'projects/circle'));
    await symlink(join(directory.root, 'projects/self'), join(directory.root, 'projects/self'));
    await symlink(join(directory.root, 'projects/-home-dev-shop'), join(directory.root, 'projects/z-again'));
    await symlink(directory.outside('private'), join(directory.root, 'projects/outside'));
    await symlink('/etc/hostname', join(directory.root, `projects/-other/${OTHER}.jsonl`));
    await using observer = directory.observe();
    await observer.settled();

    expect([...agentsOf(observer).keys()]).toEqual([session]);
    expect(problemsOf(observer)).toEqual({ 'unfollowed-link': 5 });
  });

  test('uses the newest file when several claim the same id', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0) + answer(1, 'a'));
    await directory.write(`projects/-home-dev-shop-copy/${session}.jsonl`, prompt(0));
    await using observer = directory.observe();
    await observer.settled();

    expect([...agentsOf(observer).keys()]).toEqual([session]);
    expect(problemsOf(observer)).toEqual({ 'colliding-id': 1 });
  });

  test('shows no time in the future when the clock was set back', async () => {
    await using directory = await ObservedDirectory.create();
    const future = prompt(0).replaceAll('2026-11-23', '2099-01-01');
    await directory.write(path, future + call(1, 'a').replaceAll('2026-11-23', '2098-01-01'));
    await using observer = directory.observe();
    await observer.settled();

    expect(agentsOf(observer).get(session)).toMatchObject({
      status: 'working',
      lastActiveAt: new Date(directory.clock.now()).toISOString(),
    });
  });

  test.each([
    ['no JSON', 'sessions/7.json', '{', 'malformed-document'],
    ['of another shape', 'teams/a/config.json', '[]', 'malformed-document'],
    ['too large', 'sessions/8.json', ' '.repeat(5_000_000), 'large-document'],
  ])('counts a document that is %s', async (_, document, content, kind) => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0));
    await directory.write(document, content);
    await using observer = directory.observe();
    await observer.settled();
    await observer.settled();

    expect([...agentsOf(observer).keys()]).toEqual([session]);
    expect(problemsOf(observer)).toEqual({ [kind]: 1 });
  });

  test.skipIf(process.geteuid?.() === 0)('counts files and directories that it may not read', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0));
    await directory.write('projects/-closed/a.jsonl', prompt(0));
    await directory.write(`projects/-home-dev-shop/${OTHER}.jsonl`, prompt(0));
    await chmod(join(directory.root, 'projects/-closed'), 0);
    await chmod(join(directory.root, `projects/-home-dev-shop/${OTHER}.jsonl`), 0);
    await using observer = directory.observe();
    await observer.settled();
    await chmod(join(directory.root, 'projects/-closed'), 0o700);

    expect([...agentsOf(observer).keys()]).toEqual([session]);
    expect(problemsOf(observer)).toEqual({ 'unreadable-directory': 1, 'unreadable-file': 1 });
  });

  test('changes nothing in the observed directory', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0));
    await directory.write('.credentials.json', '{"secret":"x"}');
    const before = await directoryFingerprint(directory.root);
    await using observer = directory.observe();
    await observer.completed();
    await observer[Symbol.asyncDispose]();

    expect(await directoryFingerprint(directory.root)).toEqual(before);
  });
});
