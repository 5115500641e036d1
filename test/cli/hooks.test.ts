import { chmod, link, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CLAUDE_CODE_EVENTS, createHooks } from '../../src/hooks/index.js';
import { Program } from '../support/program.js';
import { directoryFingerprint, TemporaryDirectory } from '../support/temporary-directory.js';
import { type CommandOptions, type CommandOutcome, runInProcess } from './run-command.js';

const HOOKS = createHooks('claude-code', { port: 4157, sendsToken: false });
const SETTINGS = 'home/.claude/settings.json';

/** Home directory of a person with settings. */
class Home implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
  }

  static async create(settings: string | null): Promise<Home> {
    const home = new Home(await TemporaryDirectory.create());
    await mkdir(home.path('project'));
    if (settings !== null) await home.write(SETTINGS, settings);
    return home;
  }

  path(name: string): string {
    return this.#directory.path(name);
  }

  get env(): Readonly<Record<string, string>> {
    return { HOME: this.path('home'), XDG_STATE_HOME: this.path('state') };
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(name)), { recursive: true });
    await writeFile(this.path(name), text);
  }

  async settings(): Promise<string> {
    return readFile(this.path(SETTINGS), 'utf8');
  }

  run(args: string, options: Partial<CommandOptions> = {}): Promise<CommandOutcome> {
    return runInProcess(['hooks', ...args.split(' ').filter((arg) => arg !== '')], {
      cwd: this.path('project'),
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

describe('swarmlens hooks print', () => {
  test('prints one HTTP hook for each event', async () => {
    await using home = await Home.create(null);
    const { code, stdout, stderr } = await home.run('print claude-code --port 5000');

    const handler = { type: 'http', url: 'http://127.0.0.1:5000/hooks/claude-code', timeout: 2 };
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      hooks: Object.fromEntries(CLAUDE_CODE_EVENTS.map((event) => [event, [{ hooks: [handler] }]])),
    });
  });

  test('adds a header with the allowed variable for --token', async () => {
    await using home = await Home.create(null);
    const { stdout } = await home.run('print claude-code --token');

    expect(JSON.parse(stdout)).toMatchObject({
      hooks: {
        Stop: [
          {
            hooks: [
              {
                headers: { Authorization: 'Bearer $SWARMLENS_OBSERVE_TOKEN' },
                allowedEnvVars: ['SWARMLENS_OBSERVE_TOKEN'],
              },
            ],
          },
        ],
      },
    });
  });
});

describe('swarmlens hooks install and uninstall', () => {
  test.each([
    ['with two spaces', '{\n  "model": "opus",\n  "env": { "A": "1" }\n}\n'],
    ['with tabs and without a newline at the end', '{\n\t"model": "opus",\n\t"hooks": {\n\t\t"Stop": []\n\t}\n}'],
    ['on one line', '{"model":"opus","permissions":{"allow":["Bash(ls)"]}}'],
    ['with line endings of Windows', '{\r\n    "model": "opus"\r\n}\r\n'],
    ['without anything', '{}'],
    ['with an empty object over two lines', '{\n}\n'],
    ['with empty hooks', '{ "hooks": {} }'],
    [
      'with hooks of other programs',
      '{\n  "hooks": {\n    "Stop": [ { "hooks": [ { "type": "command", "command": "say done" } ] } ],\n    "PreToolUse": []\n  },\n  "model": "opus"\n}\n',
    ],
  ])('leave settings %s as they were', async (_name, original) => {
    await using home = await Home.create(original);
    await chmod(home.path(SETTINGS), 0o640);

    expect(await home.run('install claude-code --yes')).toMatchObject({ code: 0, stderr: '' });
    const installed = JSON.parse(await home.settings()) as { readonly hooks: Record<string, unknown[]> }; // installed above
    for (const [event, groups] of Object.entries(HOOKS)) expect(installed.hooks[event]?.slice(-1)).toEqual(groups);
    expect((await stat(home.path(SETTINGS))).mode & 0o777).toBe(0o640);

    expect(await home.run('uninstall claude-code --yes')).toMatchObject({ code: 0, stderr: '' });
    expect(await home.settings()).toBe(original);
    expect((await stat(home.path(SETTINGS))).mode & 0o777).toBe(0o640);
    expect(await readdir(home.path('home/.claude'))).toEqual(['settings.json']);
  });

  test.each([
    ['the settings of the user', '', 'home'],
    ['the settings of the project', ' --project', 'project'],
  ])('create and delete %s and their directory if there are none', async (_name, flag, directory) => {
    await using home = await Home.create(null);
    await mkdir(home.path('home'), { recursive: true });

    await home.run(`install claude-code --yes${flag}`);
    const file = home.path(`${directory}/.claude/settings.json`);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ hooks: HOOKS });

    await home.run(`uninstall claude-code --yes${flag}`);
    expect(await readdir(home.path(directory))).toEqual([]);
  });

  test('keep what another program has added to settings that the installation created', async () => {
    await using home = await Home.create(null);
    await home.run('install claude-code --yes');
    const { hooks } = JSON.parse(await home.settings()) as { readonly hooks: object }; // installed above
    await home.write(SETTINGS, JSON.stringify({ hooks, model: 'opus' }, null, 2));

    await home.run('uninstall claude-code --yes');
    expect(await home.settings()).toBe('{\n  "model": "opus"\n}');
  });

  test('write to CLAUDE_CONFIG_DIR', async () => {
    await using home = await Home.create(null);
    await home.run('install claude-code --yes', { env: { CLAUDE_CONFIG_DIR: home.path('work') } });

    expect(await readdir(home.path('work'))).toEqual(['settings.json']);
  });

  test('change nothing the second time', async () => {
    await using home = await Home.create('{"model":"opus"}');
    await home.run('install claude-code --yes');
    const before = await directoryFingerprint(home.path('home'));

    expect(await home.run('install claude-code --yes')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('has the hooks already. Nothing was changed.'),
    });
    expect(await directoryFingerprint(home.path('home'))).toEqual(before);
    await home.run('uninstall claude-code --yes');
    const after = await directoryFingerprint(home.path('home'));
    expect(await home.run('uninstall claude-code')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('has no hooks of swarmlens. Nothing was changed.'),
    });
    expect(await directoryFingerprint(home.path('home'))).toEqual(after);
  });

  test('change nothing the second time when another program has added a hook behind', async () => {
    await using home = await Home.create('{}');
    await home.run('install claude-code --yes');
    const settings = JSON.parse(await home.settings()) as { readonly hooks: Record<string, unknown[]> }; // installed above
    settings.hooks['Stop']?.push({ hooks: [{ type: 'command', command: 'say done' }] });
    await home.write(SETTINGS, JSON.stringify(settings));
    const before = await home.settings();

    await home.run('install claude-code --yes');
    expect(await home.settings()).toBe(before);
  });

  test('replace hooks with another port, and restore the file afterwards', async () => {
    const original = '{ "model": "opus" }\n';
    await using home = await Home.create(original);
    await home.run('install claude-code --yes --port 5000');
    await home.run('install claude-code --yes --token');
    const { hooks } = JSON.parse(await home.settings()) as { readonly hooks: object }; // installed above

    expect(hooks).toEqual(createHooks('claude-code', { port: 4157, sendsToken: true }));
    await home.run('uninstall claude-code --yes');
    expect(await home.settings()).toBe(original);
  });

  test('show the difference without secrets of the settings', async () => {
    const secret = 'sk-ant-api03-0123456789abcdef0123456789abcdef';
    await using home = await Home.create(JSON.stringify({ env: { ANTHROPIC_API_KEY: secret } }, null, 2));
    const { stdout } = await home.run('install claude-code --yes --token');

    expect(stdout).toContain('"ANTHROPIC_API_KEY": "[redacted]"');
    expect(stdout).toContain('+  "hooks": {');
    expect(stdout).toContain('Bearer $SWARMLENS_OBSERVE_TOKEN');
    expect(stdout).not.toContain(secret);
  });

  test.each(['install', 'uninstall'])('%s changes nothing without a terminal and without --yes', async (action) => {
    await using home = await Home.create('{"model":"opus"}');
    if (action === 'uninstall') await home.run('install claude-code --yes');
    const before = await directoryFingerprint(home.path('home'));

    const { code, stdout, stderr } = await home.run(`${action} claude-code`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: expect.stringContaining('"hooks"') });
    expect(stderr).toContain('pass --yes');
    expect(await directoryFingerprint(home.path('home'))).toEqual(before);
  });

  test.each([
    ['y\n', true],
    ['yes\n', true],
    ['n\n', false],
    ['\n', false],
    ['\u0004', false],
  ])('ask in a terminal, where the answer %j counts as %s', async (typed, isChanged) => {
    await using home = await Home.create('{}');
    const { code, stdout } = await home.run('install claude-code', { typed });

    expect(code).toBe(0);
    expect(stdout).toContain(`Change ${home.path(SETTINGS)}? [y/N]`);
    expect((await home.settings()) !== '{}').toBe(isChanged);
  });
});

describe('swarmlens hooks', () => {
  const REFUSED: readonly (readonly [string, (home: Home) => Promise<void>, RegExp])[] = [
    ['with comments', (home) => home.write(SETTINGS, '{ // mine\n "a": 1 }'), /contains comments .* remove them/],
    ['that are not JSON', (home) => home.write(SETTINGS, '{ "a" 1 }'), /line 1, column 7: expected a colon/],
    ['that are no UTF-8', (home) => writeFile(home.path(SETTINGS), Buffer.from('{"a":"\xff"}', 'latin1')), /not UTF-8/],
    ['with hooks of another shape', (home) => home.write(SETTINGS, '{"hooks":{"Stop":1}}'), /"hooks.Stop" .* no list/],
    ['that are read-only', (home) => chmod(home.path(SETTINGS), 0o444), /read-only \(mode 0444\) – run chmod u\+w/],
    ['with a second name', (home) => link(home.path(SETTINGS), home.path('copy.json')), /several hard links/],
  ];

  test.each(REFUSED)('do not touch settings %s', async (_name, prepare, reason) => {
    await using home = await Home.create('{}');
    await prepare(home);
    const before = await directoryFingerprint(home.path('home'));

    for (const action of ['install', 'uninstall']) {
      const { code, stderr } = await home.run(`${action} claude-code --yes`);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(reason) });
      expect(stderr).toContain(home.path(SETTINGS));
    }
    expect(await directoryFingerprint(home.path('home'))).toEqual(before);
  });

  test('do not touch settings that are a symbolic link', async () => {
    await using home = await Home.create(null);
    await home.write('dotfiles/settings.json', '{}');
    await mkdir(home.path('home/.claude'), { recursive: true });
    await symlink(home.path('dotfiles/settings.json'), home.path(SETTINGS));

    const { code, stderr } = await home.run('install claude-code --yes');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is a symbolic link') });
    expect(stderr).toContain(home.path('dotfiles/settings.json'));
    expect((await lstat(home.path(SETTINGS))).isSymbolicLink()).toBe(true);
    expect(await readFile(home.path('dotfiles/settings.json'), 'utf8')).toBe('{}');
  });

  test.each([
    ['', /the action is missing, expected print, install or uninstall/],
    ['instal claude-code', /unknown action "instal".*did you mean/i],
    ['install', /the program is missing, expected claude-code/],
    ['install cursor', /unknown program "cursor"/],
    ['install codex', /trusted in \/hooks .*`swarmlens hooks print codex`/],
    ['install claude-code --user --project', /--user and --project exclude each other/],
    ['install claude-code --port 0', /--port is "0"/],
    ['uninstall claude-code --port 1', /unknown flag --port/],
    ['print claude-code --yes', /unknown flag --yes/],
  ])('reject the arguments "%s"', async (args, reason) => {
    await using home = await Home.create('{}');
    const { code, stderr } = await home.run(args);

    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(reason) });
    expect(await home.settings()).toBe('{}');
  });

  test('installs in a process of its own', async () => {
    await using home = await Home.create('{"model":"opus"}');
    await using program = new Program(['hooks', 'install', 'claude-code', '--yes'], {
      cwd: home.path('project'),
      env: home.env,
    });

    expect(await program.outcome()).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(await home.settings())).toEqual({ model: 'opus', hooks: HOOKS });
  });
});
