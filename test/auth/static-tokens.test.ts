import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { changeTokenFile, readTokenFile, type Viewer } from '../../src/auth/index.js';
import { StaticTokens } from '../../src/auth/static-tokens.js';
import { recordingLogger } from '../mcp/support.js';
import { ManualClock } from '../support/manual-clock.js';
import { TokenDirectory } from './files.js';
import { waitUntil } from '../support/wait.js';

/** Tokens of a file, on a clock that the test moves. */
class Watched implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly log = recordingLogger();
  readonly directory: TokenDirectory;
  changes = 0;
  #tokens: StaticTokens | null = null;

  private constructor(directory: TokenDirectory) {
    this.directory = directory;
  }

  static async start(directory: TokenDirectory): Promise<Watched> {
    const watched = new Watched(directory);
    const { file } = directory;
    const { clock, log } = watched;
    watched.#tokens = await StaticTokens.open({ file, clock, logger: log.logger }, () => (watched.changes += 1));
    return watched;
  }

  get tokens(): StaticTokens {
    if (this.#tokens === null) throw new Error('not open');
    return this.#tokens;
  }

  /** Lets time pass until it is so, but none while the file system is waited for. @returns milliseconds that passed */
  async until(isSo: () => boolean): Promise<number> {
    const sinceMs = this.clock.monotonic();
    await waitUntil(
      () => {
        if (isSo()) return true;
        if (this.clock.pending > 0) this.clock.advance(10);
        return false;
      },
      { state: () => ({ passedMs: this.clock.monotonic() - sinceMs, changes: this.changes }), intervalMs: 0 },
    );
    return this.clock.monotonic() - sinceMs;
  }

  refuses(token: string): boolean {
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

describe('the token file', () => {
  test('keeps neither token nor secret, and is for its owner only', async () => {
    await using directory = await TokenDirectory.make();
    const { text, stored } = await directory.create();
    const kept = await readFile(directory.file, 'utf8');
    expect(kept).toContain(stored.hash);
    expect(kept).not.toContain(text.slice(-43));
    expect((await stat(directory.file)).mode & 0o777).toBe(0o600);
  });

  test('two changes at once: both are kept, or one is told to try again; the file is never half written', async () => {
    await using directory = await TokenDirectory.make();
    await directory.create();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => directory.create()));
    const done = results.filter(({ status }) => status === 'fulfilled').length;
    expect(done).toBeGreaterThan(0);
    for (const result of results) {
      if (result.status === 'rejected') expect(String(result.reason)).toContain('is being changed by somebody else');
    }
    expect(await readTokenFile(directory.file)).toHaveLength(1 + done);
  });

  test('a change that fails leaves the file as it was, and the next one goes through', async () => {
    await using directory = await TokenDirectory.make();
    await directory.create();
    const failing = changeTokenFile(directory.file, () => {
      throw new Error('no such id');
    });
    await expect(failing).rejects.toThrow('no such id');
    expect(await readTokenFile(directory.file)).toHaveLength(1);
    await directory.create();
    expect(await readTokenFile(directory.file)).toHaveLength(2);
  });

  test.each([
    ['no JSON', '{"tokens": [', /is not JSON/],
    ['another shape', '[]', /is no token file/],
    ['an unknown key', '{"tokens": [{"id": "0123456789ab", "admin": true}]}', /is no token file – at "tokens\.0/],
  ])('%s is refused, naming the file', async (_name, text, message) => {
    await using directory = await TokenDirectory.make();
    await writeFile(directory.file, text);
    await expect(readTokenFile(directory.file)).rejects.toThrow(message);
    await expect(readTokenFile(directory.file)).rejects.toThrow(directory.file);
  });

  test('the same id twice is refused', async () => {
    await using directory = await TokenDirectory.make();
    const { stored } = await directory.create();
    await writeFile(directory.file, JSON.stringify({ tokens: [stored, stored] }));
    await expect(readTokenFile(directory.file)).rejects.toThrow('the same id');
  });
});

describe('static tokens', () => {
  test('a token is its own viewer; any other secret, id or text is refused alike', async () => {
    await using directory = await TokenDirectory.make();
    const { text, stored } = await directory.create({ permissions: ['agents:read'] });
    const other = await directory.create();
    await using watched = await Watched.start(directory);
    const viewer = watched.tokens.verify(text);
    expect(viewer).toMatchObject({ subject: `token:${stored.id}`, expiresAtMs: null });
    expect([...viewer.permissions]).toEqual(['agents:read']);
    expect(watched.tokens.verify(text)).toBe(viewer);
    const refusals = [text.slice(0, 17) + other.text.slice(17), text.replace(stored.id, '000000000000'), 'swl_', 'eyJ'];
    for (const wrong of refusals) {
      expect(() => watched.tokens.verify(wrong)).toThrow('is not known');
    }
  });

  test('a token is refused from the moment on at which it expires', async () => {
    await using directory = await TokenDirectory.make();
    const { text } = await directory.create({ expiresAt: '2026-11-23T15:00:01.000Z' });
    await using watched = await Watched.start(directory);
    watched.clock.advance(999);
    expect(watched.refuses(text)).toBe(false);
    watched.clock.advance(1);
    expect(() => watched.tokens.verify(text)).toThrow('has expired');
  });

  test('revoked: refused within a second, and told; others keep their viewers', async () => {
    await using directory = await TokenDirectory.make();
    const revoked = await directory.create();
    const kept = await directory.create();
    await using watched = await Watched.start(directory);
    const [gone, stays] = [revoked.text, kept.text].map((text) => watched.tokens.verify(text)) as [Viewer, Viewer]; // two
    await directory.revoke(revoked.stored.id);
    expect(await watched.until(() => watched.changes === 1)).toBeLessThanOrEqual(1_000);
    expect(watched.refuses(revoked.text)).toBe(true);
    expect(watched.tokens.isCurrent(gone)).toBe(false);
    expect(watched.tokens.verify(kept.text)).toBe(stays);
    expect(watched.tokens.isCurrent(stays)).toBe(true);
  });

  test('changed: who has it is another viewer from then on', async () => {
    await using directory = await TokenDirectory.make();
    const { text, stored } = await directory.create();
    await using watched = await Watched.start(directory);
    const before = watched.tokens.verify(text);
    await changeTokenFile(directory.file, () => [{ ...stored, permissions: ['agents:read'] }]);
    await watched.until(() => watched.changes === 1);
    expect(watched.tokens.isCurrent(before)).toBe(false);
    expect([...watched.tokens.verify(text).permissions]).toEqual(['agents:read']);
  });

  test('a file that is wrong changes nothing and is told; one that is gone takes all tokens with it', async () => {
    await using directory = await TokenDirectory.make();
    const { text } = await directory.create();
    await using watched = await Watched.start(directory);
    await writeFile(directory.file, '{');
    await watched.until(() => watched.log.lines.some(({ message }) => message.includes('stay as they were')));
    expect(watched.refuses(text)).toBe(false);
    await rm(directory.file);
    await watched.until(() => watched.changes === 1);
    expect(watched.refuses(text)).toBe(true);
  });
});
