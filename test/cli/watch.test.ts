import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.js';
import { TokenDirectory } from '../auth/files.js';
import { startApp } from '../support/app.js';
import { type CommandOutcome, runInProcess } from './run-command.js';

function watch(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandOutcome> {
  return runInProcess(['watch', ...args], { cwd: process.cwd(), env });
}

describe('what does not work is told with what to do', () => {
  let directory: TokenDirectory;
  let app: App;
  /** A token that may not see agents. */
  let lesser: string;

  beforeAll(async () => {
    directory = await TokenDirectory.make();
    ({ text: lesser } = await directory.create({ permissions: ['health:read'] }));
    app = await startApp([], { auth: { tokens: directory.file, jwt: null } });
  });

  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  test('nobody listens there', async () => {
    const { code, stdout, stderr } = await watch(['--url', 'http://127.0.0.1:9']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^http:\/\/127\.0\.0\.1:9 cannot be reached: .*ECONNREFUSED.*\nIs swarmlens running there\? Start it with `swarmlens serve`.*\n$/,
    );
  });

  test.each<[string, 'none' | 'unknown' | 'lesser', RegExp]>([
    [
      'there is no token',
      'none',
      /a token is needed\nMake one with `swarmlens token create --scopes agents:read,health:read`/,
    ],
    ['the token is not known', 'unknown', /the token was refused: .*\nMake one with/],
    ['the token may not see agents', 'lesser', /"agents:read"/],
  ])('%s', async (_what, token, says) => {
    const SWARMLENS_TOKEN = token === 'unknown' ? `${lesser}x` : lesser;
    const { code, stdout, stderr } = await watch(['--url', app.url], token === 'none' ? {} : { SWARMLENS_TOKEN });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain(lesser);
  });

  test.each<[readonly string[], RegExp]>([
    [['--mode', 'hihg'], /--mode is "hihg", did you mean "high"\? – expected high, normal, low, on-demand/],
    [['--server-type', 'flow'], /--server-type has "flow" – expected CLAUDE_FLOW, RUV_SWARM, DAA, CUSTOM/],
    [['--type', 'a,,b'], /--type has an empty entry/],
    [['--url', 'ftp://x'], /--url: .*http:\/\//],
    [['--url', 'http://me:geheim@x'], /--url: .*must not hold a user, a password/],
  ])('%j is bad usage: exit 2', async (args, message) => {
    const { code, stderr } = await watch(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^[^\n]+\nTry: swarmlens watch --help\n$/);
    expect(stderr).not.toContain('geheim');
  });
});
