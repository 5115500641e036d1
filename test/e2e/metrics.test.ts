import { describe, expect, test } from 'vitest';
import { UNRESTRICTED } from '../../src/domain/index.js';
import { TokenDirectory } from '../auth/files.js';
import { startApp } from '../support/app.js';
import { TEST_LIMITS } from '../support/limits.js';

describe('where tokens are needed', () => {
  test.each<[string, Parameters<TokenDirectory['create']>[0] | null, number, RegExp]>([
    ['no token', null, 401, /token/i],
    ['a token without health:read', { permissions: ['agents:read'] }, 403, /"health:read"/],
    [
      'a token that sees one server only',
      { restriction: { ...UNRESTRICTED, serverIds: ['x'], serverTypes: null, agentTypes: null, swarmIds: null } },
      403,
      /all of them/,
    ],
    ['a token with health:read', { permissions: ['health:read'] }, 200, /^# HELP swarmlens_/],
  ])('%s: %3$i', async (_what, token, status, says) => {
    await using directory = await TokenDirectory.make();
    const { text } = await directory.create(token ?? {});
    await using app = await startApp([], { auth: { tokens: directory.file, jwt: null } });
    const headers = token === null ? {} : { authorization: `Bearer ${text}` };
    const response = await fetch(`${app.url}/metrics`, { headers });
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(says);
    if (status === 401) expect(response.headers.get('www-authenticate')).toContain('Bearer');
  });

  test('scraping counts as requests do', async () => {
    await using app = await startApp([], { limits: { ...TEST_LIMITS, maxRequestsPerSecond: 1 } });
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await fetch(`${app.url}/metrics`)).status),
    );
    expect(statuses).toContain(200);
    expect(statuses).toContain(429);
  });

  test('a page of another site does not get to see them', async () => {
    await using app = await startApp([]);
    const response = await fetch(`${app.url}/metrics`, { headers: { origin: 'https://evil.example' } });
    expect(response.status).toBe(403);
  });
});
