import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defaultTapKeyFile, loadTapKey } from '../../src/shared/index.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';

const isRoot = process.geteuid?.() === 0;

describe('defaultTapKeyFile', () => {
  test.each<[Record<string, string>, NodeJS.Platform, string]>([
    [{ HOME: '/home/ada' }, 'linux', '/home/ada/.local/state/swarmlens/tap.key'],
    [{ HOME: '/Users/ada' }, 'darwin', '/Users/ada/.local/state/swarmlens/tap.key'],
    [{ HOME: '/home/ada', XDG_STATE_HOME: '/state' }, 'linux', '/state/swarmlens/tap.key'],
    [{ HOME: '/home/ada', XDG_STATE_HOME: 'relative' }, 'linux', '/home/ada/.local/state/swarmlens/tap.key'],
    [{}, 'linux', join(homedir(), '.local/state/swarmlens/tap.key')],
    [{ APPDATA: '/AppData', XDG_STATE_HOME: '/state' }, 'win32', '/AppData/swarmlens/tap.key'],
  ])('returns one path for the environment %j on %s', (env, platform, path) => {
    expect(defaultTapKeyFile(env, platform)).toBe(path);
  });
});

describe('loadTapKey', () => {
  test('creates a key of 32 bytes with mode 0600 in a directory with mode 0700, and returns it again', async () => {
    await using directory = await TemporaryDirectory.create();
    const file = directory.path('a/b/tap.key');
    const key = await loadTapKey(file);
    expect(key).toHaveLength(32);
    expect(await loadTapKey(file)).toEqual(key);
    expect([(await stat(file)).mode & 0o777, (await stat(dirname(file))).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(await readdir(dirname(file))).toEqual(['tap.key']);
  });

  test('returns one key to all processes that create it at the same time', async () => {
    await using directory = await TemporaryDirectory.create();
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadTapKey(directory.path('tap.key'))));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(await readdir(directory.root)).toEqual(['tap.key']);
  });

  test('follows a link to a private file and keeps it', async () => {
    await using directory = await TemporaryDirectory.create();
    const key = await loadTapKey(directory.path('target'));
    await symlink('target', directory.path('tap.key'));
    expect(await loadTapKey(directory.path('tap.key'))).toEqual(key);
    expect(await readdir(directory.root)).toEqual(['tap.key', 'target']);
  });

  test.each<[string, (file: string) => Promise<unknown>, RegExp]>([
    ['is readable by every user', (file) => chmod(file, 0o604), /is accessible to other users \(mode 0604\)/],
    ['is readable by its group', (file) => chmod(file, 0o640), /is accessible to other users \(mode 0640\)/],
    ['is writable by every user', (file) => chmod(file, 0o602), /is accessible to other users \(mode 0602\)/],
    ['contains a short key', (file) => writeFile(file, 'A'.repeat(42)), /contains no key of 32 bytes/],
    ['is empty', (file) => writeFile(file, ''), /contains no key of 32 bytes/],
    ['is large', (file) => writeFile(file, 'A'.repeat(2_000)), /is larger than 1024 bytes/],
    [
      'is a directory',
      async (file) => await rename(file, `${file}.old`).then(() => mkdir(file)),
      /is not a regular file/,
    ],
    [
      'is a pipe',
      async (file) => await rename(file, `${file}.old`).then(() => execFileSync('mkfifo', [file])),
      /is not a regular file/,
    ],
    ['links to a readable file', (file) => linkTo(file, 0o644), /is accessible to other users \(mode 0644\)/],
    ['links to nothing', (file) => linkTo(file, null), /is a symbolic link to a file that does not exist/],
  ])('refuses a file that %s, and leaves it as it is', async (_name, damage, reason) => {
    await using directory = await TemporaryDirectory.create();
    const file = directory.path('tap.key');
    await loadTapKey(file);
    await damage(file);
    const before = await readdir(directory.root);
    await expect(loadTapKey(file)).rejects.toThrow(reason);
    await expect(loadTapKey(file)).rejects.toThrow(file);
    expect(await readdir(directory.root)).toEqual(before);
  });

  test.runIf(isRoot)('refuses a file of another user', async () => {
    await using directory = await TemporaryDirectory.create();
    const file = directory.path('tap.key');
    await loadTapKey(file);
    await chown(file, 4_321, 0);
    await expect(loadTapKey(file)).rejects.toThrow(
      'belongs to the user with the id 4321, not to the user of this process (0)',
    );
  });

  test('names the path when the file cannot be created', async () => {
    await using directory = await TemporaryDirectory.create();
    await writeFile(directory.path('file'), '');
    await expect(loadTapKey(directory.path('file/tap.key'))).rejects.toThrow(
      /file\/tap\.key: cannot be read or created: E/,
    );
    expect(await readFile(directory.path('file'), 'utf8')).toBe('');
  });
});

async function linkTo(file: string, mode: number | null): Promise<void> {
  await rename(file, `${file}.target`);
  if (mode === null) await rename(`${file}.target`, `${file}.moved`);
  else await chmod(`${file}.target`, mode);
  await symlink(`${file}.target`, file);
}
