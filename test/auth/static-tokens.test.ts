import { chmod, chown, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { updateTokenFile, readTokenFile, type Viewer } from '../../src/auth/index.js';
import { StaticTokenStore } from '../../src/auth/static-token-store.js';
import { recordingLogger } from '../mcp/support.js';
import { ManualClock } from '../support/manual-clock.js';
import { TokenDirectory } from './files.js';
import { waitUntil } from '../support/wait.js';

/** StaticTokenStore of a temporary file with a manual clock. */
class StoreSetup implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly log = recordingLogger();
  readonly directory: TokenDirectory;
  changes = 0;
  #tokens: StaticTokenStore | null = null;

  private constructor(directory: TokenDirectory) {
    this.directory = directory;
  }

  static async start(directory: TokenDirectory): Promise<StoreSetup> {
    const setup = new StoreSetup(directory);
    const { file } = directory;
    const { clock, log } = setup;
    setup.#tokens = await StaticTokenStore.open({ file, clock, logger: log.logger }, () => (setup.changes += 1));
    return setup;
  }

  get tokens(): StaticTokenStore {
    if (this.#tokens === null) throw new Error('not open');
    return this.#tokens;
  }

  /** Advances the clock until `isReached` returns true, but not while the file system is busy. @returns elapsed milliseconds */
  async until(isReached: () => boolean): Promise<number> {
    const sinceMs = this.clock.monotonic();
    await waitUntil(
      () => {
        if (isReached()) return true;
        if (this.clock.pending > 0) this.clock.advance(10);
        return false;
      },
      { state: () => ({ passedMs: this.clock.monotonic() - sinceMs, changes: this.changes }), intervalMs: 0 },
    );
    return this.clock.monotonic() - sinceMs;
  }

  isRejected(token: string): boolean {
    try {
      this.tokens.verify(token);
      return false;
    } catch {
      return true;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tokens?.[Symbol.asyncDispose]();
    expect(this.clock.pending).toBe(0);
  }
}

describe('token file', () => {
  test('contains neither token nor secret and is readable by its owner only', async () => {
    await using directory = await TokenDirectory.make();
    const { text, stored } = await directory.create();
    const kept = await readFile(directory.file, 'utf8');
    expect(kept).toContain(stored.hash);
    expect(kept).not.toContain(text.slice(-43));
    expect((await stat(directory.file)).mode & 0o777).toBe(0o600);
  });

  test('keeps both of two concurrent changes or rejects one, and is never incomplete', async () => {
    await using directory = await TokenDirectory.make();
    await directory.create();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => directory.create()));
    const done = results.filter(({ status }) => status === 'fulfilled').length;
    expect(done).toBeGreaterThan(0);
    for (const result of results) {
      if (result.status === 'rejected') expect(String(result.reason)).toContain('is being changed by another process');
    }
    expect(await readTokenFile(directory.file)).toHaveLength(1 + done);
  });

  test('stays unchanged when a change fails, and accepts the next one', async () => {
    await using directory = await TokenDirectory.make();
    await directory.create();
    const failing = updateTokenFile(directory.file, () => {
      throw new Error('no such id');
    });
    await expect(failing).rejects.toThrow('no such id');
    expect(await readTokenFile(directory.file)).toHaveLength(1);
    await directory.create();
    expect(await readTokenFile(directory.file)).toHaveLength(2);
  });

  test.each([
    ['no JSON', '{"tokens": [', /is not JSON/],
    ['another shape', '[]', /invalid token file/],
    ['an unknown key', '{"tokens": [{"id": "0123456789ab", "admin": true}]}', /invalid token file – at "tokens\.0/],
  ])('is rejected with its path when it contains %s', async (_name, text, message) => {
    await using directory = await TokenDirectory.make();
    await writeFile(directory.file, text);
    await expect(readTokenFile(directory.file)).rejects.toThrow(message);
    await expect(readTokenFile(directory.file)).rejects.toThrow(directory.file);
  });

  test('is rejected when two tokens have the same id', async () => {
    await using directory = await TokenDirectory.make();
    const { stored } = await directory.create();
    await writeFile(directory.file, JSON.stringify({ tokens: [stored, stored] }));
    await expect(readTokenFile(directory.file)).rejects.toThrow('the same id');
  });
});

const isRoot = process.geteuid?.() === 0;

describe('token file with other permissions', () => {
  test.each([0o640, 0o644, 0o400])('keeps its mode %o when a token is revoked', async (mode) => {
    await using directory = await TokenDirectory.make();
    const { stored } = await directory.create();
    await chmod(directory.file, mode);
    await directory.revoke(stored.id);
    expect((await stat(directory.file)).mode & 0o777).toBe(mode);
    expect(await readTokenFile(directory.file)).toEqual([]);
  });

  test.runIf(isRoot)('keeps its owner and group when root revokes or creates a token', async () => {
    await using directory = await TokenDirectory.make();
    const { stored } = await directory.create();
    await chown(directory.file, 4_321, 8_765);
    await chmod(directory.file, 0o640);
    await directory.revoke(stored.id);
    await directory.create();
    const { uid, gid, mode } = await stat(directory.file);
    expect([uid, gid, mode & 0o777]).toEqual([4_321, 8_765, 0o640]);
  });

  test('stays a link when a token is revoked, and the linked file changes in its own directory', async () => {
    await using directory = await TokenDirectory.make();
    const { stored } = await directory.create();
    const root = dirname(directory.file);
    await mkdir(join(root, 'links'));
    const links = [join(root, 'links', 'first.json'), join(root, 'links', 'second.json')] as const;
    await symlink('../tokens.json', links[0]);
    await symlink('first.json', links[1]);
    await updateTokenFile(links[1], () => []);
    expect(await readTokenFile(directory.file)).toEqual([]);
    expect(await readTokenFile(links[1])).toEqual([]);
    const entries = await readdir(join(root, 'links'), { withFileTypes: true });
    expect(entries.map((entry) => entry.isSymbolicLink())).toEqual([true, true]);
    await rm(directory.file);
    await updateTokenFile(links[1], () => [stored]);
    expect(await readTokenFile(directory.file)).toEqual([stored]);
  });

  test.each([
    [0o602, /is writable by every user \(mode 0602\) – run chmod go-w/],
    [0o666, /is writable by every user/],
    [0o660, /is writable by its group \(mode 0660\)/],
  ])('is rejected with the reason when its mode is %o, and not changed', async (mode, reason) => {
    await using directory = await TokenDirectory.make();
    const { stored } = await directory.create();
    await chmod(directory.file, mode);
    await expect(readTokenFile(directory.file)).rejects.toThrow(reason);
    await expect(readTokenFile(directory.file)).rejects.toThrow(directory.file);
    await expect(directory.revoke(stored.id)).rejects.toThrow(reason);
    expect((await stat(directory.file)).mode & 0o777).toBe(mode);
    await chmod(directory.file, 0o600);
    expect(await readTokenFile(directory.file)).toEqual([stored]);
    expect(await readdir(dirname(directory.file))).toEqual(['tokens.json']);
  });

  test.each<[string, string[]]>([
    ['its directory', ['shared']],
    ['a directory above its directory', ['shared', 'own']],
  ])('is rejected when every user can write to %s, unless that is sticky', async (_name, names) => {
    await using directory = await TokenDirectory.make();
    const root = dirname(directory.file);
    const shared = join(root, 'shared');
    await mkdir(join(root, ...names), { recursive: true });
    await directory.create();
    const file = join(root, ...names, 'tokens.json');
    await updateTokenFile(file, () => []);
    await symlink(file, join(root, 'link.json'));
    await chmod(shared, 0o777);
    for (const path of [file, join(root, 'link.json')]) {
      await expect(readTokenFile(path)).rejects.toThrow(`is in ${shared}, which is writable by every user (mode 0777)`);
      await expect(updateTokenFile(path, () => [])).rejects.toThrow('is in ');
    }
    await chmod(shared, 0o1777);
    expect(await readTokenFile(file)).toEqual([]);
  });

  test('is rejected when it is reached through a link in a directory that every user can write to', async () => {
    await using directory = await TokenDirectory.make();
    await directory.create();
    const shared = join(dirname(directory.file), 'shared');
    await mkdir(shared);
    await symlink(directory.file, join(shared, 'link.json'));
    await symlink('shared/link.json', join(dirname(directory.file), 'first.json'));
    await chmod(shared, 0o777);
    for (const name of ['shared/link.json', 'first.json']) {
      await expect(readTokenFile(join(dirname(directory.file), name))).rejects.toThrow(`is in ${shared}, which`);
    }
    expect(await readTokenFile(directory.file)).toHaveLength(1);
  });

  test.each<[string, (file: string) => Promise<unknown>, RegExp]>([
    ['a directory', (file) => mkdir(file), /is not a regular file/],
    ['a link to itself', (file) => symlink(file, file), /ELOOP|link to itself/],
  ])('is rejected when it is %s', async (_name, create, reason) => {
    await using directory = await TokenDirectory.make();
    await create(directory.file);
    await expect(readTokenFile(directory.file)).rejects.toThrow(reason);
    await expect(updateTokenFile(directory.file, () => [])).rejects.toThrow(directory.file);
  });
});

describe('StaticTokenStore', () => {
  test('keeps the tokens and logs the reason when every user can write to the file', async () => {
    await using directory = await TokenDirectory.make();
    const { text } = await directory.create();
    await using setup = await StoreSetup.start(directory);
    await writeFile(directory.file, '{"tokens": []}');
    await chmod(directory.file, 0o666);
    await setup.until(() => setup.log.lines.some(({ message }) => message.includes('previous tokens stay valid')));
    expect(JSON.stringify(setup.log.lines)).toContain('is writable by every user');
    expect(setup.isRejected(text)).toBe(false);
    await chmod(directory.file, 0o600);
    await setup.until(() => setup.isRejected(text));
  });

  test('returns one viewer per token and rejects other secrets, ids and texts with the same message', async () => {
    await using directory = await TokenDirectory.make();
    const { text, stored } = await directory.create({ permissions: ['agents:read'] });
    const other = await directory.create();
    await using setup = await StoreSetup.start(directory);
    const viewer = setup.tokens.verify(text);
    expect(viewer).toMatchObject({ subject: `token:${stored.id}`, expiresAtMs: null });
    expect([...viewer.permissions]).toEqual(['agents:read']);
    expect(setup.tokens.verify(text)).toBe(viewer);
    const refusals = [text.slice(0, 17) + other.text.slice(17), text.replace(stored.id, '000000000000'), 'swl_', 'eyJ'];
    for (const wrong of refusals) {
      expect(() => setup.tokens.verify(wrong)).toThrow('Unknown or revoked token');
    }
  });

  test('rejects a token from its expiry on', async () => {
    await using directory = await TokenDirectory.make();
    const { text } = await directory.create({ expiresAt: '2026-11-23T15:00:01.000Z' });
    await using setup = await StoreSetup.start(directory);
    setup.clock.advance(999);
    expect(setup.isRejected(text)).toBe(false);
    setup.clock.advance(1);
    expect(() => setup.tokens.verify(text)).toThrow('has expired');
  });

  test('rejects a revoked token within one second and keeps the viewers of others', async () => {
    await using directory = await TokenDirectory.make();
    const revoked = await directory.create();
    const kept = await directory.create();
    await using setup = await StoreSetup.start(directory);
    const [gone, stays] = [revoked.text, kept.text].map((text) => setup.tokens.verify(text)) as [Viewer, Viewer]; // two
    await directory.revoke(revoked.stored.id);
    expect(await setup.until(() => setup.changes === 1)).toBeLessThanOrEqual(1_000);
    expect(setup.isRejected(revoked.text)).toBe(true);
    expect(setup.tokens.isCurrent(gone)).toBe(false);
    expect(setup.tokens.verify(kept.text)).toBe(stays);
    expect(setup.tokens.isCurrent(stays)).toBe(true);
  });

  test('returns another viewer when a token changes', async () => {
    await using directory = await TokenDirectory.make();
    const { text, stored } = await directory.create();
    await using setup = await StoreSetup.start(directory);
    const before = setup.tokens.verify(text);
    await updateTokenFile(directory.file, () => [{ ...stored, permissions: ['agents:read'] }]);
    await setup.until(() => setup.changes === 1);
    expect(setup.tokens.isCurrent(before)).toBe(false);
    expect([...setup.tokens.verify(text).permissions]).toEqual(['agents:read']);
  });

  test('keeps the tokens and logs an error when the file is invalid, and revokes all when it is deleted', async () => {
    await using directory = await TokenDirectory.make();
    const { text } = await directory.create();
    await using setup = await StoreSetup.start(directory);
    await writeFile(directory.file, '{');
    await setup.until(() => setup.log.lines.some(({ message }) => message.includes('previous tokens stay valid')));
    expect(setup.isRejected(text)).toBe(false);
    await rm(directory.file);
    await setup.until(() => setup.changes === 1);
    expect(setup.isRejected(text)).toBe(true);
  });
});
