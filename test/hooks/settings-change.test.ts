import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createHooks, planInstallation, planRemoval, SettingsFileError } from '../../src/hooks/index.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';

const HOOKS = createHooks('claude-code', { port: 4157, sendsToken: false });

/** Settings file of a test, with the environment that decides where its record is. */
class SettingsFixture implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
  }

  static async create(text: string | null): Promise<SettingsFixture> {
    const fixture = new SettingsFixture(await TemporaryDirectory.create());
    if (text !== null) await fixture.write(text);
    return fixture;
  }

  get path(): string {
    return this.#directory.path('settings.json');
  }

  get env(): Readonly<Record<string, string>> {
    return { XDG_STATE_HOME: this.#directory.path('state') };
  }

  read(): Promise<string> {
    return readFile(this.path, 'utf8');
  }

  write(text: string): Promise<void> {
    return writeFile(this.path, text);
  }

  async install(): Promise<void> {
    await (await planInstallation(this.path, HOOKS, this.env))?.apply();
  }

  async uninstall(): Promise<void> {
    await (await planRemoval(this.path, this.env))?.apply();
  }

  /** Returns the path of the only record. */
  async record(): Promise<string> {
    const directory = this.#directory.path('state/swarmlens/hooks');
    const [name = ''] = await readdir(directory);
    return `${directory}/${name}`;
  }

  files(): Promise<string[]> {
    return readdir(this.#directory.root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

describe('SettingsChange', () => {
  test.each([
    ['install', '{}'],
    ['uninstall', '{}'],
    ['install', null],
  ])('does not %s when another program has changed the file %j since the plan', async (action, text) => {
    await using settings = await SettingsFixture.create(text);
    if (action === 'uninstall') await settings.install();
    const change =
      action === 'install'
        ? await planInstallation(settings.path, HOOKS, settings.env)
        : await planRemoval(settings.path, settings.env);
    await settings.write('{"model":"opus"}');

    await expect(change?.apply()).rejects.toThrow(SettingsFileError);
    await expect(change?.apply()).rejects.toThrow(/changed by another program meanwhile/);
    expect(await settings.read()).toBe('{"model":"opus"}');
    expect((await settings.files()).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  test('restores the file when its record is damaged', async () => {
    await using settings = await SettingsFixture.create('{\n  "model": "opus"\n}\n');
    await settings.install();
    await writeFile(await settings.record(), '{"ranges":[{"offset":-1}]}');

    await settings.uninstall();
    expect(await settings.read()).toBe('{\n  "model": "opus"\n}\n');
  });

  test('restores the file when its record is missing', async () => {
    await using settings = await SettingsFixture.create('{\n  "model": "opus"\n}\n');
    await settings.install();
    await rm(await settings.record());

    await settings.uninstall();
    expect(await settings.read()).toBe('{\n  "model": "opus"\n}\n');
  });

  test('keeps no text of the settings in its record', async () => {
    await using settings = await SettingsFixture.create('{"env":{"KEY":"a-secret-value"}}');
    await settings.install();

    expect(await readFile(await settings.record(), 'utf8')).not.toContain('secret');
  });
});
