import { chmod, chown, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { hashSecret, readTokenFile } from '../../src/auth/index.js';
import { parseStaticToken } from '../../src/auth/static-token.js';
import { runCommand as runProgram } from '../../src/cli/run-command.js';
import { TokenDirectory } from '../auth/files.js';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `swarmlens token` in the directory of the token file. */
async function run(directory: TokenDirectory, ...args: readonly string[]): Promise<Outcome> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const cwd = dirname(directory.file);
  const terminal = { env: {}, cwd, program: '/main.js', stdin: new PassThrough(), stopped: Promise.resolve(undefined) };
  const code = await runProgram(['token', ...args], { ...terminal, stdout, stderr });
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

describe('swarmlens token create', () => {
  test('prints only the token and stores its hash, permissions and restriction', async () => {
    await using directory = await TokenDirectory.make();
    const flags = [
      '--file',
      'tokens.json',
      '--scopes',
      'agents:read, health:read',
      '--server-types',
      'claude-flow,DAA',
    ];
    const more = ['--servers', 'a,b', '--swarms', 'a:s', '--agent-types', 'Coder', '--no-performance', '--no-neural'];
    const made = await run(directory, 'create', ...flags, ...more, '--expires', '30d', '--name', 'my screen');
    expect(made.code).toBe(0);
    const parts = parseStaticToken(made.stdout.trimEnd());
    if (parts === null) throw new Error(`no token: ${made.stdout}`);
    expect(made.stderr).toContain(parts.id);
    const [stored] = await readTokenFile(directory.file);
    if (stored === undefined) throw new Error('not in the file');
    expect(stored).toMatchObject({
      id: parts.id,
      name: 'my screen',
      hash: hashSecret(parts.secret),
      permissions: ['agents:read', 'health:read'],
      restriction: {
        serverIds: ['a', 'b'],
        serverTypes: ['CLAUDE_FLOW', 'DAA'],
        swarmIds: ['a:s'],
        agentTypes: ['coder'],
        performance: false,
        neural: false,
      },
    });
    expect(Date.parse(stored.expiresAt ?? '') - Date.parse(stored.createdAt)).toBeGreaterThanOrEqual(30 * 86_400_000);
    for (const text of [made.stderr, await readFile(directory.file, 'utf8'), (await run(directory, 'list')).stdout]) {
      expect(text).not.toContain(parts.secret);
    }
  });

  test.each([
    [['create'], /--scopes is missing, expected one or more of agents:read/],
    [['create', '--scopes', 'agent:read'], /--scopes has "agent:read", did you mean "agents:read"\?/],
    [['create', '--scopes', 'agents:read,'], /--scopes has an empty entry/],
    [['create', '--scopes', 'agents:read', '--server-types', 'x'], /--server-types has "x", expected CLAUDE_FLOW/],
    [['create', '--scopes', 'agents:read', '--expires', 'soon'], /--expires is "soon", expected a duration such as/],
    [['create', '--scope', 'agents:read'], /unknown flag --scope, did you mean "scopes"\?/],
    [['revoke'], /the id of the token is missing/],
    [['delete'], /unknown action "delete", expected create, list or revoke/],
    [[], /the action is missing/],
  ])('exits with 2, names the mistake and creates no file for %j', async (args, message) => {
    await using directory = await TokenDirectory.make();
    const { code, stdout, stderr } = await run(directory, ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    await expect(readFile(directory.file)).rejects.toThrow('ENOENT');
  });
});

describe('swarmlens token list and revoke', () => {
  test('removes a revoked token from the list and rejects a second revocation', async () => {
    await using directory = await TokenDirectory.make();
    const file = ['--file', 'tokens.json'];
    const { stored: kept } = await directory.create({ name: 'kept', expiresAt: '2020-01-01T00:00:00.000Z' });
    const { stored: gone } = await directory.create({ name: 'gone', permissions: ['agents:read'] });
    const before = await run(directory, 'list', ...file);
    expect(before.stdout).toMatch(new RegExp(`${kept.id} +kept .* everything .*\\(expired\\)`));
    expect(before.stdout).toMatch(new RegExp(`${gone.id} +gone +agents:read +everything .* never`));
    expect(await run(directory, 'revoke', gone.id, ...file)).toMatchObject({
      code: 0,
      stdout: `Revoked ${gone.id}.\n`,
    });
    const after = await run(directory, 'list', ...file);
    expect(after.stdout).not.toContain(gone.id);
    expect(after.stdout).toContain(kept.id);
    const again = await run(directory, 'revoke', gone.id, ...file);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(`has no token with the id "${gone.id}"`);
  });

  test.runIf(process.geteuid?.() === 0)(
    'names the users who can read the file when they may not include swarmlens',
    async () => {
      await using directory = await TokenDirectory.make();
      const { stored: first } = await directory.create();
      const { stored: second } = await directory.create();
      await chown(directory.file, 4_321, 8_765);
      await chmod(directory.file, 0o640);
      const file = ['--file', 'tokens.json'];
      expect((await run(directory, 'revoke', first.id, ...file)).stderr).toBe(
        `Only the user with the id 4321 and the group with the id 8765 can read ${directory.file}. A running swarmlens of another user does not notice the change.\n`,
      );
      await chmod(directory.file, 0o644);
      expect((await run(directory, 'revoke', second.id, ...file)).stderr).toBe('');
    },
  );

  test('exits with 1 and names the reason when every user can write to the file', async () => {
    await using directory = await TokenDirectory.make();
    const { stored } = await directory.create();
    await chmod(directory.file, 0o666);
    const { code, stdout, stderr } = await run(directory, 'revoke', stored.id, '--file', 'tokens.json');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${directory.file}: is writable by every user (mode 0666) – run chmod go-w`);
  });

  test('names the create command when the token file is missing', async () => {
    await using directory = await TokenDirectory.make();
    const { code, stderr } = await run(directory, 'list');
    expect(code).toBe(1);
    expect(stderr).toContain('swarmlens token create');
  });
});
