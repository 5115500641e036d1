import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, ConfigWatch } from '../../src/config/index.js';
import { recordingLogger } from '../mcp/support.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { waitUntil } from '../support/wait.js';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

function text(...ids: readonly string[]): string {
  return JSON.stringify({ mcpServers: Object.fromEntries(ids.map((id) => [id, { command: id }])) });
}

/** A file that is watched, on a clock that the test moves. */
class Watched implements AsyncDisposable {
  readonly file: string;
  readonly directory: string;
  readonly clock = new ManualClock();
  readonly log = recordingLogger();
  readonly configs: Config[] = [];
  readonly problems: (readonly string[])[] = [];
  readonly #watch: ConfigWatch;

  private constructor(directory: string, env: NodeJS.ProcessEnv) {
    this.directory = directory;
    this.file = join(directory, 'config.json');
    this.#watch = new ConfigWatch({
      sources: { flags: {}, env, cwd: directory, program: '/main.js' },
      file: this.file,
      clock: this.clock,
      logger: this.log.logger,
      onConfig: (config) => Promise.resolve(void this.configs.push(config)),
      onProblems: (problems) => Promise.resolve(void this.problems.push(problems)),
    });
  }

  static async start(
    env: NodeJS.ProcessEnv = {},
    prepare = (file: string) => writeFile(file, text('a')),
  ): Promise<Watched> {
    const directory = await mkdtemp(join(root, 'watched-'));
    await prepare(join(directory, 'config.json'));
    const watched = new Watched(directory, env);
    await watched.until(() => watched.configs.length === 1);
    return watched;
  }

  /** Ids of the servers of the last valid configuration. */
  get ids(): readonly string[] | undefined {
    return this.configs.at(-1)?.servers.map(({ id }) => id);
  }

  /** Lets time pass until it is so. */
  async until(isSo: () => boolean): Promise<void> {
    const isReached = async (): Promise<boolean> => {
      if (isSo()) return true;
      this.clock.advance(25);
      await settled();
      return isSo();
    };
    await waitUntil(isReached, {
      intervalMs: 1,
      state: () => ({ ids: this.ids, configs: this.configs.length, problems: this.problems, log: this.log.lines }),
    });
  }

  /** A mistake has been seen, and is not told yet. */
  doubts(): number {
    return this.log.lines.filter(({ message }) => message.includes('half written')).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch[Symbol.asyncDispose]();
  }
}

describe('the configuration file', () => {
  test('that is written to is read again', async () => {
    await using watched = await Watched.start();
    await writeFile(watched.file, text('a', 'b'));
    await watched.until(() => watched.ids?.join() === 'a,b');
    await writeFile(watched.file, text('b'));
    await watched.until(() => watched.ids?.join() === 'b');
    expect(watched.problems).toEqual([]);
  });

  test('that another file is renamed over is read again, each time', async () => {
    await using watched = await Watched.start();
    for (const id of ['b', 'c', 'd']) {
      const next = join(watched.directory, 'next.json');
      await writeFile(next, text(id));
      await rename(next, watched.file);
      await watched.until(() => watched.ids?.join() === id);
    }
    expect(watched.problems).toEqual([]);
  });

  test('that is a link into a directory that is exchanged is read again', async () => {
    await using watched = await Watched.start({}, async (file) => {
      for (const id of ['a', 'b']) {
        await mkdir(join(file, '..', id));
        await writeFile(join(file, '..', id, 'config.json'), text(id));
      }
      await symlink('a', join(file, '..', 'current'));
      await symlink(join('current', 'config.json'), file);
    });
    expect(watched.ids).toEqual(['a']);
    await symlink('b', join(watched.directory, 'next'));
    await rename(join(watched.directory, 'next'), join(watched.directory, 'current'));
    await watched.until(() => watched.ids?.join() === 'b');
  });

  test('that is half written changes nothing and is not told, when the rest follows', async () => {
    await using watched = await Watched.start();
    const whole = text('a', 'b');
    await writeFile(watched.file, whole.slice(0, 20));
    await watched.until(() => watched.doubts() > 0);
    await writeFile(watched.file, whole);
    await watched.until(() => watched.ids?.join() === 'a,b');
    await watched.clock.pass(5_000, 100);
    expect(watched.ids).toEqual(['a', 'b']);
    expect(watched.problems).toEqual([]);
  });

  test('that is away for a moment is no mistake', async () => {
    await using watched = await Watched.start();
    await unlink(watched.file);
    await watched.until(() => watched.doubts() > 0);
    await writeFile(watched.file, text('b'));
    await watched.until(() => watched.ids?.join() === 'b');
    expect(watched.problems).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ['is no JSON', '{"mcpServers": {', /is not JSON/],
    ['has a mistake', '{"mcpServers":{"a":{"command":1}}}', /^mcpServers\.a\.command: is 1 – expected text$/],
    ['names a variable that is not set', '{"mcpServers":{"a":{"command":"${NOT_SET}"}}}', /no variable NOT_SET/],
  ])('that %s is told once when it stays so, and a later one is read', async (_name, wrong, problem) => {
    await using watched = await Watched.start();
    await writeFile(watched.file, wrong);
    await watched.until(() => watched.problems.length > 0);
    expect(watched.problems).toEqual([[expect.stringMatching(problem)]]);
    await watched.clock.pass(10_000, 500);
    expect(watched.problems).toHaveLength(1);
    expect(watched.configs).toHaveLength(1);
    await writeFile(watched.file, text('c'));
    await watched.until(() => watched.ids?.join() === 'c');
  });

  test('that is taken away is told, and is not replaced by the demo', async () => {
    await using watched = await Watched.start();
    await unlink(watched.file);
    await watched.until(() => watched.problems.length > 0);
    expect(watched.problems).toEqual([[expect.stringContaining('there is no such file')]]);
    expect(watched.configs).toHaveLength(1);
  });

  test('has its variables filled in anew', async () => {
    await using watched = await Watched.start({ WHO: 'x' });
    await writeFile(watched.file, '{"mcpServers":{"a":{"command":"${WHO}"}}}');
    await watched.until(() => watched.configs.length > 1);
    expect(watched.configs.at(-1)?.servers[0]?.endpoint).toMatchObject({ command: 'x' });
  });

  test('is no longer looked at when the watch has ended: no timer is left', async () => {
    const watched = await Watched.start();
    await watched[Symbol.asyncDispose]();
    expect(watched.clock.pending).toBe(0);
    await writeFile(watched.file, text('b'));
    await watched.clock.pass(5_000, 500);
    expect(watched.configs).toHaveLength(1);
  });
});
