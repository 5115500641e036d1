import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.js';
import { runs } from '../support/fuzz-inputs.js';
import { mistakesOf } from './mistakes.js';

const SECRET = 'kestrel-7 of nine';
const URL_OF = 'http://127.0.0.1/mcp';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function problems(server: unknown, env: NodeJS.ProcessEnv = {}): Promise<readonly string[]> {
  await writeFile(join(directory, 'config.json'), JSON.stringify({ mcpServers: { s: server } }));
  const sources = { flags: { config: 'config.json' }, env, cwd: directory, program: '/program/main.js' };
  return mistakesOf(loadConfig(sources));
}

function rejectsHeader(name: string, value: string): boolean {
  try {
    new Headers([[name, value]]);
    return false;
  } catch {
    return true;
  }
}

describe('loadConfig: values that transports reject', () => {
  const name = 'expected a header name such as "Authorization" without a colon';

  test.each<[string, unknown, string]>([
    [
      'a line break in a header',
      { url: URL_OF, headers: { 'X-Key': `${SECRET}\n` } },
      'headers.X-Key: is *** – contains a line break, which headers cannot contain',
    ],
    [
      'a carriage return in a header',
      { url: URL_OF, headers: { 'X-Key': `\r${SECRET}` } },
      'headers.X-Key: is *** – contains a line break, which headers cannot contain',
    ],
    [
      'a control character in a header',
      { url: URL_OF, headers: { 'X-Key': `${SECRET}\u0000` } },
      'headers.X-Key: is *** – contains a control character, which headers cannot contain',
    ],
    [
      'a header beyond Latin-1',
      { url: URL_OF, headers: { 'X-Key': `${SECRET}€` } },
      'headers.X-Key: is *** – contains characters beyond Latin-1, encode it',
    ],
    [
      'a header of a WebSocket',
      { url: 'ws://127.0.0.1', headers: { a: `${SECRET}\n` } },
      'headers.a: is *** – contains a line break, which headers cannot contain',
    ],
    [
      'a value in the name of a header',
      { url: URL_OF, headers: { ok: '', [`Authorization: ${SECRET}`]: '' } },
      `headers: is *** – the name of entry 2 is invalid, ${name}`,
    ],
    [
      'an empty name of a header',
      { url: URL_OF, headers: { '': SECRET } },
      `headers: is *** – the name of entry 1 is invalid, ${name}`,
    ],
    [
      'a value in the name of a variable',
      { command: 'x', env: { [`KEY=${SECRET}`]: '' } },
      'env: is *** – the name of entry 1 is invalid, expected a name without "="',
    ],
    [
      'a NUL character in a variable',
      { command: 'x', env: { KEY: `${SECRET}\u0000` } },
      'env.KEY: is *** – contains a NUL character, which programs cannot receive',
    ],
    [
      'a NUL character in an argument',
      { command: 'x', args: ['--key', `${SECRET}\u0000`] },
      'args.1: is *** – contains a NUL character, which programs cannot receive',
    ],
    [
      'a secret argument of another type',
      { command: 'x', args: ['--key', SECRET, [1]] },
      'args.2: is a list – expected text',
    ],
    [
      'credentials in a host',
      { host: `ann:${SECRET}@127.0.0.1`, port: 1 },
      'host: is "***@127.0.0.1" – expected a host name or an IP address, without scheme, user and path',
    ],
    [
      'credentials in an invalid URL',
      { url: `htp://ann:${SECRET}@127.0.0.1` },
      'url: is "htp://***@127.0.0.1" – expected a URL with http:// or https://, or ws:// or wss:// for a WebSocket',
    ],
    [
      'credentials in a URL without a scheme',
      { url: `ann:${SECRET}@127.0.0.1` },
      'url: is "***@127.0.0.1" – expected a URL with http:// or https://, or ws:// or wss:// for a WebSocket',
    ],
    [
      'a key in the path of an invalid URL',
      { url: '127.0.0.1/q7Xw2Lm9Rt4Vb8Nc/x' },
      'url: is "127.0.0.1/[redacted]/x" – expected a URL with http:// or https://, or ws:// or wss:// for a WebSocket',
    ],
    [
      'wrongly encoded credentials',
      { url: `http://ann:%zz${encodeURIComponent(SECRET)}@127.0.0.1` },
      'url: is "http://***@127.0.0.1" – has credentials with an invalid percent encoding, write % as %25',
    ],
  ])('rejects %s with the key and without the value', async (_mistake, server, problem) => {
    expect(await problems(server)).toEqual([`mcpServers.s.${problem}`]);
  });

  test('rejects a variable with a line break by the key of its header', async () => {
    const server = { url: URL_OF, headers: { authorization: 'Bearer ${TOKEN}' } };
    const problem = 'mcpServers.s.headers.authorization: is *** – contains a line break, which headers cannot contain';
    expect(await problems(server, { TOKEN: `${SECRET}\n` })).toEqual([problem]);
  });

  test('checks the entries of replicas', async () => {
    const replicas = [{ url: URL_OF, headers: { a: `${SECRET}\n` } }];
    const [problem = ''] = await problems({ url: URL_OF, swarmlens: { replicas } });
    expect(problem).toMatch(/^mcpServers\.s\.swarmlens\.replicas\.0\.headers\.a: is \*\*\* – contains a line break/);
  });

  test('for any headers that it accepts: fetch accepts them, too', async () => {
    const name = fc.oneof(fc.stringMatching(/^[A-Za-z0-9-]{1,8}$/), fc.string());
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' }), fc.string());
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.tuple(name, value), async ([header, text]) => {
        const isAccepted = (await problems({ url: URL_OF, headers: { [header]: text } })).length === 0;
        accepted += isAccepted ? 1 : 0;
        expect(isAccepted && rejectsHeader(header, text)).toBe(false);
      }),
      runs(300),
    );
    expect(accepted).toBeGreaterThan(50);
  });

  test('accepts values with tabs, Latin-1, UTF-8 in variables, and encoded credentials', async () => {
    expect(await problems({ url: 'http://ann:p%40ss%25@127.0.0.1/mcp', headers: { 'X-Name': 'a\tbä' } })).toEqual([]);
    expect(await problems({ command: 'x', args: ['ä\n€'], env: { NAME: 'ä\n€' } })).toEqual([]);
  });
});
