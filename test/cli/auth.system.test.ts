import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BareSocket } from '../support/bare-socket.js';
import { Program } from '../support/program.js';
import { type CommandOutcome, runInProcess } from './run-command.js';

let cwd: string;

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  await writeFile(join(cwd, 'open.json'), JSON.stringify({ mcpServers: {} }));
  const swarmlens = { auth: { tokens: 'swarmlens.tokens.json' } };
  await writeFile(join(cwd, 'closed.json'), JSON.stringify({ mcpServers: {}, swarmlens }));
});

afterAll(async () => {
  await rm(cwd, { recursive: true, force: true });
});

function run(...args: readonly string[]): Promise<CommandOutcome> {
  return runInProcess(args, { cwd });
}

async function ask(url: string, headers: Record<string, string> = {}): Promise<unknown> {
  const answer = await fetch(`${url}?query={viewer{permissions}}`, { headers });
  return await answer.json();
}

describe('the program', () => {
  test('does not start with a token file that is not there, and says how it is made', async () => {
    const { code, stderr } = await run('serve', '--config', 'closed.json', '--port', '0');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^swarmlens\.auth\.tokens: .* there is no such file – make it with `swarmlens token create`\n$/,
    );
  });

  test('lets in who has a token that it made, beyond loopback too, until it is revoked', async () => {
    const made = await run('token', 'create', '--scopes', 'agents:read');
    expect(made.code).toBe(0);
    const token = made.stdout.trimEnd();
    await using program = new Program(['serve', '--config', 'closed.json', '--port', '0', '--host', '0.0.0.0'], {
      cwd,
    });
    const [, url = ''] = await program.printed(/ready at http:\/\/0\.0\.0\.0(:\d+\/graphql)/);
    const local = `http://127.0.0.1${url}`;
    expect(await ask(local)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    const authorization = `Bearer ${token}`;
    expect(await ask(local, { authorization })).toEqual({ data: { viewer: { permissions: ['agents:read'] } } });
    await using socket = await BareSocket.open({ socketUrl: local.replace('http', 'ws') }, null, authorization);
    await socket.until(({ messages }) => messages.length > 0);
    expect(await run('token', 'revoke', token.split('_')[1] ?? '')).toMatchObject({ code: 0 });
    expect(await socket.closed).toEqual({ code: 4403, reason: 'The token has been revoked' });
    expect(await ask(local, { authorization })).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
    program.kill('SIGTERM');
    const { code: exit, stdout, stderr } = await program.outcome();
    expect(exit).toBe(0);
    expect(stdout + stderr).not.toContain(token.slice(-43));
  });

  test('beyond loopback without authentication: exit 2; with --insecure-no-auth it serves, and says so in the log', async () => {
    const refused = await run('serve', '--config', 'open.json', '--port', '0', '--host', '0.0.0.0');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^--host: is "0\.0\.0\.0" – without authentication only loopback is bound/);
    const args = ['serve', '--config', 'open.json', '--port', '0', '--host', '0.0.0.0', '--insecure-no-auth'];
    await using program = new Program(args, { cwd });
    const [, url = ''] = await program.printed(/ready at http:\/\/0\.0\.0\.0(:\d+\/graphql)/);
    expect(await ask(`http://127.0.0.1${url}`)).toMatchObject({ data: { viewer: {} } });
    expect(program.stderr).toMatch(/"code":"INSECURE_NO_AUTH".*everybody who reaches this server/);
    program.kill('SIGTERM');
    expect(await program.outcome()).toMatchObject({ code: 0 });
  });
});
