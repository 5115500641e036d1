import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { TAP_PATH, TAP_PROTOCOLS } from '../../src/shared/index.js';
import { AccessServer } from '../support/access-server.js';
import { TapSocket } from '../support/tap-socket.js';

let access: AccessServer;

beforeAll(async () => {
  access = await AccessServer.start();
});

afterAll(async () => {
  await access[Symbol.asyncDispose]();
});

/** Requests the connection of a tap that trusts TLS and sends its token in the upgrade request. */
function connectWithToken(headers: Record<string, string>, query = ''): WebSocket {
  const url = `${access.server.url.replace('http', 'ws')}${TAP_PATH}${query}`;
  return new WebSocket(url, TAP_PROTOCOLS.token, { headers });
}

/** Returns status and reason of a rejected upgrade request. */
async function rejectionOf(socket: WebSocket): Promise<unknown> {
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]; // of ws
  return { status: response.statusCode, reason: (await response.toArray()).join('').trim() };
}

function joinAs(token: string | null, server = 'swarm'): TapSocket {
  return new TapSocket(access.server, { join: { server, token } });
}

/** Resolves when one more tap has joined. Returns all of them. */
async function joined(before: number): Promise<readonly string[]> {
  await access.until(() => access.server.taps.length > before);
  return access.server.taps.slice(before);
}

describe('GET /tap with authentication', () => {
  test('accepts a proved tap with a servers:admin token and closes it with 4403 when the token is revoked', async () => {
    const token = await access.token({ permissions: ['servers:admin'] });
    const before = access.server.taps.length;
    using tap = joinAs(token.text);
    expect(await joined(before)).toEqual(['swarm']);
    await access.directory.revoke(token.id);
    await access.until(() => tap.socket.readyState === WebSocket.CLOSED);
    expect(await tap.closed).toEqual({ code: 4403, reason: 'The token has been revoked' });
  });

  test('accepts a tap without a proof when its upgrade request has a servers:admin token', async () => {
    const { text } = await access.token({ permissions: ['servers:admin'] });
    const before = access.server.taps.length;
    const socket = connectWithToken({ authorization: `Bearer ${text}` });
    await once(socket, 'open');
    socket.send(JSON.stringify({ server: 'remote', instance: 'one' }));
    expect(await joined(before)).toEqual(['remote']);
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  });

  test('rejects a missing token, an unknown token and a token without servers:admin', async () => {
    const reader = await access.token({ permissions: ['agents:read', 'health:read'] });
    for (const token of [null, 'swl_nobody_nothing', reader.text]) {
      const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
      const status = token === reader.text ? 403 : 401;
      expect(await rejectionOf(connectWithToken(headers))).toMatchObject({ status });
      using tap = joinAs(token);
      const { code, reason } = await tap.closed;
      expect([code, reason]).toEqual([
        4403,
        expect.stringMatching(/Token required|Unknown or revoked|servers:admin|Invalid/),
      ]);
    }
  });

  test('rejects names outside the restriction of the token with equal messages for known and unknown servers', async () => {
    const swarmlens = { servers: ['swarm'] };
    const token = await access.jwt({ scope: 'servers:admin', swarmlens });
    for (const name of ['x', 'nobody']) {
      using tap = joinAs(token, name);
      expect(await tap.closed).toEqual({
        code: 4403,
        reason: `The token gives no access to a server named "${name}".`,
      });
    }
    const before = access.server.taps.length;
    using _tap = joinAs(token);
    expect(await joined(before)).toEqual(['swarm']);
  });

  test('rejects requests from web pages and requests with a token in the URL', async () => {
    const { text } = await access.token({ permissions: ['servers:admin'] });
    const authorization = `Bearer ${text}`;
    expect(await rejectionOf(connectWithToken({ authorization, origin: access.server.url }))).toEqual({
      status: 403,
      reason: expect.stringContaining('Taps cannot connect from web pages.'),
    });
    expect(await rejectionOf(connectWithToken({ authorization }, `?token=${text}`))).toMatchObject({ status: 400 });
  });
});
