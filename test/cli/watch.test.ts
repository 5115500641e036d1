import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import { TokenDirectory } from '../auth/files.js';
import { startApp } from '../support/app.js';
import { type CommandOutcome, runInProcess } from './run-command.js';

function watch(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandOutcome> {
  return runInProcess(['watch', ...args], { cwd: process.cwd(), env });
}

describe('swarmlens watch', () => {
  let directory: TokenDirectory;
  let app: App;
  /** Token without the permission `agents:read`. */
  let limited: string;

  beforeAll(async () => {
    directory = await TokenDirectory.make();
    ({ text: limited } = await directory.create({ permissions: ['health:read'] }));
    app = await startApp([], { auth: { tokens: directory.file, jwt: null } });
  });

  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  test('suggests to start the server when the connection is refused', async () => {
    const { code, stdout, stderr } = await watch(['--url', 'http://127.0.0.1:9']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^http:\/\/127\.0\.0\.1:9 cannot be reached: .*ECONNREFUSED.*\nStart it with `swarmlens serve`.*\n$/,
    );
  });

  test.each<[string, 'none' | 'unknown' | 'limited', RegExp]>([
    [
      'there is no token',
      'none',
      /a token is required\nCreate one with `swarmlens token create --scopes agents:read,health:read`/,
    ],
    ['the token is unknown', 'unknown', /the token was rejected: .*\nCreate one with/],
    ['the token may not see agents', 'limited', /"agents:read"/],
  ])('exits with 1 and names the cause when %s', async (_condition, token, expected) => {
    const SWARMLENS_TOKEN = token === 'unknown' ? `${limited}x` : limited;
    const { code, stdout, stderr } = await watch(['--url', app.url], token === 'none' ? {} : { SWARMLENS_TOKEN });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toContain(limited);
  });

  test.each<[readonly string[], RegExp]>([
    [['--mode', 'hihg'], /--mode is "hihg", did you mean "high"\?, expected high, normal, low, on-demand/],
    [
      ['--server-type', 'flow'],
      /--server-type has "flow", expected CLAUDE_FLOW, RUV_SWARM, DAA, CLAUDE_CODE, CODEX, CUSTOM/,
    ],
    [['--type', 'a,,b'], /--type has an empty entry/],
    [['--url', 'ftp://x'], /--url: .*http:\/\//],
    [['--url', 'http://me:geheim@x'], /--url: .*must not contain a user name, a password/],
  ])('exits with 2 and names the mistake for %j', async (args, message) => {
    const { code, stderr } = await watch(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^[^\n]+\nTry: swarmlens watch --help\n$/);
    expect(stderr).not.toContain('geheim');
  });
});
