import { describe, expect, test } from 'vitest';
import { collectSecrets, SecretRedactor } from '../../../src/shared/sanitize/index.js';

/** Generated text without any known form. */
const KEY = 'q7Xw2Lm9Rt4Vb8Nc';
const WORDS = 'amber falcon river';

/** Returns what is removed from a text that consists of the values. */
function removed(config: unknown, values: readonly string[]): string[] {
  const redactor = new SecretRedactor(collectSecrets(config));
  return values.filter((value) => !redactor.redact(`<${value}>`).includes(value));
}

function variables(entries: Readonly<Record<string, string>>): unknown {
  return { variables: new Map(Object.entries(entries)) };
}

describe('collectSecrets', () => {
  test.each<[string, unknown, readonly string[]]>([
    [
      'any value of a variable',
      variables({ UPSTREAM: WORDS, HOST_A: 'tenant-a.example.test' }),
      [WORDS, 'tenant-a.example.test'],
    ],
    [
      'a short value of a secret variable',
      variables({ DB_PASS: 'owl7', PIN: '4711', API_KEY: 'word' }),
      ['owl7', '4711', 'word'],
    ],
    ['environment variables', { env: { SETTING: 'x9!kestrel', TOKEN: 'abcd' } }, ['x9!kestrel', 'abcd']],
    ['headers', { headers: { 'X-Tenant': 'kestrel#42', Authorization: `Token ${WORDS}` } }, ['kestrel#42', WORDS]],
    ['credentials of a scheme', { headers: { authorization: `Bearer ${WORDS}` } }, [WORDS, `Bearer ${WORDS}`]],
    [
      'Basic credentials',
      { headers: { authorization: `Basic ${Buffer.from('ann:river-stone').toString('base64')}` } },
      ['river-stone', Buffer.from('ann:river-stone').toString('base64')],
    ],
    ['cookies', { headers: { Cookie: 'theme=dark; sid=river stone' } }, ['river stone']],
    ['arguments after a flag', { args: ['--api-key', 'river', '--port', '8080'] }, ['river']],
    ['arguments with a flag', { args: ['--password=river', 'DB_PASS=stone'] }, ['river', 'stone']],
    ['generated arguments', { args: ['start', KEY, `--x=${KEY}y`] }, [KEY, `${KEY}y`]],
    ['a header argument', { args: ['--header', 'Authorization: Bearer river'] }, ['river']],
    [
      'a shell command',
      { args: ['-c', `TOKEN=riverbed run --secret 'stone7' -H "Authorization: Bearer falcon"`] },
      ['riverbed', 'stone7', 'falcon'],
    ],
    ['a whole command', { command: 'server --api-key riverbed' }, ['riverbed']],
    ['the user of a URL', { url: `https://river-token@example.test/mcp` }, ['river-token']],
    [
      'the password of a URL',
      { url: 'https://ann:ri%40ver@example.test/mcp' },
      ['ri@ver', 'ri%40ver', 'ann:ri@ver', Buffer.from('ann:ri@ver').toString('base64')],
    ],
    ['path segments of a URL', { url: `https://example.test/mcp/${KEY}/token/amber-falcon` }, [KEY, 'amber-falcon']],
    [
      'a UUID in a path',
      { url: 'https://example.test/550e8400-e29b-41d4-a716-446655440000' },
      ['550e8400-e29b-41d4-a716-446655440000'],
    ],
    ['queries of a URL', { url: `https://example.test/mcp?key=river&x=${KEY}#${KEY}z` }, ['river', KEY, `${KEY}z`]],
    ['a secret host name', { url: `https://${KEY}.example.test/mcp` }, [KEY, KEY.toLowerCase()]],
    ['an invalid URL', { url: `htp:/ann:river@example/${KEY}` }, ['river', KEY]],
    ['the password of Redis', { bus: { kind: 'single', password: 'river', username: 'ann' } }, ['river']],
    ['the URL of Redis', { bus: 'redis+cluster://:riv/er@a:1,b:2' }, ['riv/er']],
    [
      'the secret of JSON Web Tokens',
      { auth: { jwt: { key: { kind: 'secret', secret: 'river stone river stone' } } } },
      ['river stone river stone'],
    ],
    ['the token of TCP', { host: 'x', token: 'river' }, ['river']],
    ['secrets of replicas', { replicas: [{ headers: { 'x-key': 'river' } }] }, ['river']],
    ['passwords in a connection string', { env: { STORE: 'AccountName=ann;AccountKey=river;x=1' } }, ['river']],
    ['passwords in a URL of a variable', { env: { DATABASE_URL: 'postgres://ann:river@db/agents' } }, ['river']],
    ['JSON of a secret variable', { env: { CREDENTIALS: '{"a":["river"],"b":"stone"}' } }, ['river', 'stone']],
    [
      'the lines of a secret',
      { env: { KEY: `-----BEGIN KEY-----\n${KEY}\n${WORDS}\n-----END KEY-----` } },
      [KEY, WORDS],
    ],
    ['lists with a secret name', { secrets: ['river', 'stone'] }, ['river', 'stone']],
  ])('finds %s', (_what, config, secrets) => {
    expect(removed(config, secrets)).toEqual(secrets);
  });

  test.each<[string, unknown, readonly string[]]>([
    [
      'paths',
      { command: '/usr/bin/node', args: ['./server.js', '/tmp/swarmlens-test-aB3xYz/x.js'], cwd: '.' },
      ['/usr/bin/node', './server.js', '/tmp/swarmlens-test-aB3xYz/x.js'],
    ],
    [
      'flags, packages and ports',
      { args: ['claude-flow@2.7.35', 'mcp', 'start', '--port', '8080', '@scope/mcp-server'] },
      ['claude-flow@2.7.35', 'start', '--port', '8080', '@scope/mcp-server'],
    ],
    [
      'switches',
      { env: { USE_TOKEN: 'true', SECRET: 'none', NODE_ENV: 'production' } },
      ['true', 'none', 'production'],
    ],
    [
      'numbers',
      { env: { MAX_TOKENS: '8192', TTL: '12345678', SINCE: '2026-11-29', MAX_KEYS: '12' } },
      ['8192', '12345678', '2026-11-29'],
    ],
    [
      'identifiers',
      { env: { AREA: 'us-east-1', PLAN: 'research-team', RUN: 'gpt-4o-mini' } },
      ['us-east-1', 'research-team', 'gpt-4o-mini'],
    ],
    [
      'values of ordinary names',
      variables({ MODEL: 'claude-9.9-Kestrel2', SWARM_ID: KEY, TEAM_NAME: WORDS }),
      ['claude-9.9-Kestrel2', KEY, WORDS],
    ],
    ['ids after a flag', { args: ['--swarm-id', KEY, `--run-id=${KEY}`] }, [KEY]],
    ['single words of variables', variables({ STAGE: 'production' }), ['production']],
    [
      'ordinary headers',
      { headers: { accept: 'application/json, text/event-stream', 'User-Agent': 'kestrel/1.0 (x)' } },
      ['application/json, text/event-stream', 'kestrel/1.0 (x)'],
    ],
    [
      'URLs',
      { url: 'https://mcp.example.test/mcp/v1?mode=fast&page=2', env: { API: 'http://127.0.0.1:11434' } },
      ['https://mcp.example.test/mcp/v1?mode=fast&page=2', 'http://127.0.0.1:11434'],
    ],
    ['user names', { url: 'https://ann:river@example.test' }, ['ann']],
    [
      'names of key files',
      { busTls: { key: 'tls/key.pem' }, env: { TLS_KEY: '/etc/tls/node.key' } },
      ['tls/key.pem', '/etc/tls/node.key'],
    ],
    ['paths of token files', { auth: { tokens: 'tokens.json' } }, ['tokens.json']],
    [
      'names of a mapping',
      { mapping: { agents: { tool: 'list', fields: { id: 'key', token: 'secretKey' } } } },
      ['list', 'key', 'secretKey'],
    ],
    [
      'names of a mapping of a tapped server',
      { tapMappings: new Map([['workers', { agents: [{ path: { keys: ['workers'] } }] }]]) },
      ['workers'],
    ],
    ['values of fewer than four characters', { env: { PASS: 'abc' } }, ['abc']],
  ])('keeps %s', (_what, config, values) => {
    expect(removed(config, values)).toEqual([]);
  });

  test('does not fail on values of any depth or type', () => {
    let deep: unknown = 'river';
    for (let level = 0; level < 10_000; level += 1) deep = { env: deep };
    expect([...collectSecrets([deep, null, 1, undefined, { env: { KEY: `[${'['.repeat(5_000)}` } }])]).toEqual([
      `[${'['.repeat(5_000)}`,
    ]);
  });
});
