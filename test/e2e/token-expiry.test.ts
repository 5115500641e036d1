import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AccessServer } from '../support/access-server.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';

const WATCH = 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind cursor agents { id name } } }';

let access: AccessServer;

beforeAll(async () => {
  access = await AccessServer.start();
});

afterAll(async () => {
  await access[Symbol.asyncDispose]();
});

describe('token expiry', () => {
  test('closes WebSockets with 4403 and ends SSE streams with an error at the moment the token expires', async () => {
    const token = await access.jwt({}, 5_000);
    await using socket = await RawGraphqlWsClient.withToken(access.server, token);
    socket.run('1', WATCH);
    await socket.until(() => socket.of('1').length > 0);
    const stream = await access.post(WATCH, `Bearer ${token}`, { accept: 'text/event-stream' });
    const text = stream.text();
    // The expiry of a token is a whole second, rounded down from the time of the clock.
    const leftMs = Math.floor(access.clock.now() / 1000) * 1000 + 5_000 - access.clock.now();
    access.clock.advance(leftMs - 1);
    socket.send({ type: 'ping' });
    await socket.until(({ messages }) => messages.some(({ type }) => type === 'pong'));
    access.clock.advance(1);
    expect(await socket.closed).toEqual({ code: 4403, reason: 'The token has expired' });
    const events = (await text).trim().split('\n\n');
    expect(events.at(-2)).toMatch(/^event: next\ndata: .*"The token has expired\.".*"UNAUTHENTICATED"/);
    expect(events.at(-1)).toMatch(/^event: complete/);
  });

  test('ends only the connections of a revoked token within one second', async () => {
    // Needs its own server, because the time until the token file is read must not include timers of other tokens.
    await using own = await AccessServer.start();
    const [gone, stays] = [await own.token(), await own.token()];
    await using socket = await RawGraphqlWsClient.withToken(own.server, gone.text);
    await using other = await RawGraphqlWsClient.withToken(own.server, stays.text);
    const stream = await own.post('subscription { notices { code } }', `Bearer ${gone.text}`, {
      accept: 'text/event-stream',
    });
    await own.directory.revoke(gone.id);
    expect(await own.until(async () => !(await own.knows(gone.text)))).toBeLessThanOrEqual(1_000);
    expect(await socket.closed).toEqual({ code: 4403, reason: 'The token has been revoked' });
    expect(await stream.text()).toContain('The token has been revoked.');
    other.run('1', '{ viewer { subject } }');
    await other.until(() => other.of('1').length > 0);
  });

  test('ignores operations that arrive while the connection closes', async () => {
    await using socket = await RawGraphqlWsClient.withToken(access.server, await access.jwt({}, 5_000));
    const before = access.server.uses.length;
    socket.socket.pause();
    access.clock.advance(5_000);
    socket.run('1', 'mutation { requestAgentUpdate { serverIds } }');
    socket.socket.resume();
    expect((await socket.closed).code).toBe(4403);
    expect(access.server.uses).toHaveLength(before);
  });

  test('continues all streams when the client authenticates with a new token of equal subject and permissions', async () => {
    await using socket = await RawGraphqlWsClient.withToken(access.server, await access.jwt({}, 5_000));
    socket.run('watch', WATCH);
    await socket.until(() => socket.of('watch').length > 0);
    const renew = 'mutation ($token: String!) { authenticate(token: $token) { subject expiresAt } }';
    socket.run('renew', renew, { token: await access.jwt({ scope: 'agents:read email' }, 20_000) });
    await socket.until(() => socket.of('renew').length > 0);
    expect(socket.of('renew')[0]).toMatchObject({ data: { authenticate: { subject: 'jwt:ada' } } });
    access.clock.advance(6_000);
    const receivedBefore = socket.of('watch').length;
    access.server.show(0, 3, 1);
    await socket.until(() => socket.of('watch').length > receivedBefore);
    access.server.show(0, 3, 0);
    const kinds = socket.of('watch').map((payload) => /"kind":"(\w+)"/.exec(JSON.stringify(payload))?.[1]);
    expect(kinds[0]).toBe('SNAPSHOT');
    expect(kinds.slice(1)).not.toContain('SNAPSHOT');
    access.clock.advance(20_000);
    expect(await socket.closed).toEqual({ code: 4403, reason: 'The token has expired' });
  });

  test('keeps the old token when authenticate receives a token of another subject or with other permissions, an invalid token or an HTTP request', async () => {
    const token = await access.jwt({}, 5_000);
    await using socket = await RawGraphqlWsClient.withToken(access.server, token);
    socket.run('watch', WATCH);
    await socket.until(() => socket.of('watch').length > 0);
    const renew = 'mutation ($token: String!) { authenticate(token: $token) { subject } }';
    socket.run('more', renew, { token: await access.jwt({ scope: 'agents:read tools:call' }, 20_000) });
    socket.run('less', renew, { token: await access.jwt({ swarmlens: { servers: [] } }, 20_000) });
    socket.run('subject', renew, { token: await access.jwt({ sub: 'grace' }, 20_000) });
    socket.run('none', renew, { token: await access.jwt({ sub: undefined }, 20_000) });
    socket.run('wrong', renew, { token: 'wrong' });
    const answers = (): unknown[] =>
      ['more', 'less', 'subject', 'none', 'wrong'].flatMap((id) => socket.of(id).slice(0, 1));
    await socket.until(() => answers().length === 5);
    expect(answers()).toMatchObject([
      { errors: [{ extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('Open a new connection') }] },
      { errors: [{ extensions: { code: 'FORBIDDEN' } }] },
      { errors: [{ extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('different subject') }] },
      { errors: [{ extensions: { code: 'FORBIDDEN' } }] },
      { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
    ]);
    const over = await access.post(`mutation { authenticate(token: "${token}") { subject } }`, `Bearer ${token}`);
    expect(await over.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    const receivedBefore = socket.of('watch').length;
    access.server.show(0, 3, 1);
    await socket.until(() => socket.of('watch').length > receivedBefore);
    access.server.show(0, 3, 0);
    access.clock.advance(5_000);
    expect((await socket.closed).code).toBe(4403);
  });
});
