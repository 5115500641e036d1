import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, ConfigFileWatcher } from '../../src/config/index.js';
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

/** Watched configuration file on a manual clock. */
class Watched implements AsyncDisposable {
  readonly file: string;
  readonly directory: string;
  readonly clock = new ManualClock();
  readonly log = recordingLogger();
  readonly configs: Config[] = [];
  readonly problems: (readonly string[])[] = [];
  readonly #watch: ConfigFileWatcher;

  private constructor(directory: string, env: NodeJS.ProcessEnv) {
    this.directory = directory;
    this.file = join(directory, 'config.json');
    this.#watch = new ConfigFileWatcher({
      sources: { flags: {}, env, cwd: directory, program: '/main.js' },
      file: this.file,
      clock: this.clock,
      logger: this.log.logger,
      onConfig: (config) => Promise.resolve(void this.configs.push(config)),
      onInvalid: (problems) => Promise.resolve(void this.problems.push(problems)),
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

  /** Advances the clock until the condition holds. */
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

  /** Returns the number of mistakes that were detected, including those not reported yet. */
  detectedMistakes(): number {
    return this.log.lines.filter(({ message }) => message.includes('invalid or incomplete')).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch[Symbol.asyncDispose]();
  }
}

describe('ConfigFileWatcher', () => {
  test('reloads a file that is written', async () => {
    await using watched = await Watched.start();
    await writeFile(watched.file, text('a', 'b'));
    await watched.until(() => watched.ids?.join() === 'a,b');
    await writeFile(watched.file, text('b'));
    await watched.until(() => watched.ids?.join() === 'b');
    expect(watched.problems).toEqual([]);
  });

  test('reloads a file each time it is replaced by a rename', async () => {
    await using watched = await Watched.start();
    for (const id of ['b', 'c', 'd']) {
      const next = join(watched.directory, 'next.json');
      await writeFile(next, text(id));
      await rename(next, watched.file);
      await watched.until(() => watched.ids?.join() === id);
    }
    expect(watched.problems).toEqual([]);
  });

  test('reloads a symbolic link when its target directory is replaced', async () => {
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

  test('reloads a file with an entry that has a mistake, which becomes unusable', async () => {
    await using watched = await Watched.start();
    await writeFile(watched.file, '{"mcpServers":{"a":{"command":"${NOT_SET}"},"b":{"command":"b"}}}');
    await watched.until(() => watched.ids?.join() === 'a,b');
    const config = watched.configs.at(-1);
    expect(config?.servers.map(({ endpoint }) => endpoint.type)).toEqual(['unusable', 'stdio']);
    expect(config?.warnings).toEqual([expect.stringMatching(/^mcpServers\.a: is skipped – .*NOT_SET is not set/)]);
    expect(watched.problems).toEqual([]);
  });

  test('ignores an incomplete file that is completed soon', async () => {
    await using watched = await Watched.start();
    const whole = text('a', 'b');
    await writeFile(watched.file, whole.slice(0, 20));
    await watched.until(() => watched.detectedMistakes() > 0);
    await writeFile(watched.file, whole);
    await watched.until(() => watched.ids?.join() === 'a,b');
    await watched.clock.pass(5_000, 100);
    expect(watched.ids).toEqual(['a', 'b']);
    expect(watched.problems).toEqual([]);
  });

  test('ignores a file that is missing for a moment', async () => {
    await using watched = await Watched.start();
    await unlink(watched.file);
    await watched.until(() => watched.detectedMistakes() > 0);
    await writeFile(watched.file, text('b'));
    await watched.until(() => watched.ids?.join() === 'b');
    expect(watched.problems).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ['is not JSON', '{"mcpServers": {', /is not JSON/],
    [
      'has a mistake',
      '{"mcpServers":{},"swarmlens":{"port":"x"}}',
      /^swarmlens\.port: is "x" – expected a whole number .*config\.json, line 1\)$/,
    ],
    [
      'contains an unset variable',
      '{"mcpServers":{},"swarmlens":{"busPrefix":"${NOT_SET}"}}',
      /variable NOT_SET is not set/,
    ],
  ])('reports a file that %s once, and reloads the next version', async (_name, wrong, problem) => {
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

  test('reports a deleted file and does not load the demo', async () => {
    await using watched = await Watched.start();
    await unlink(watched.file);
    await watched.until(() => watched.problems.length > 0);
    expect(watched.problems).toEqual([[expect.stringContaining('the file does not exist')]]);
    expect(watched.configs).toHaveLength(1);
  });

  test('expands the variables again', async () => {
    await using watched = await Watched.start({ WHO: 'x' });
    await writeFile(watched.file, '{"mcpServers":{"a":{"command":"${WHO}"}}}');
    await watched.until(() => watched.configs.length > 1);
    expect(watched.configs.at(-1)?.servers[0]?.endpoint).toMatchObject({ command: 'x' });
  });

  test('leaves no timer after its disposal', async () => {
    const watched = await Watched.start();
    await watched[Symbol.asyncDispose]();
    expect(watched.clock.pending).toBe(0);
    await writeFile(watched.file, text('b'));
    await watched.clock.pass(5_000, 500);
    expect(watched.configs).toHaveLength(1);
  });
});
