import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { TAP_PATH } from '../../src/shared/index.js';
import { AccessServer } from '../support/access-server.js';

let access: AccessServer;

beforeAll(async () => {
  access = await AccessServer.start();
});

afterAll(async () => {
  await access[Symbol.asyncDispose]();
});

/** What comes of a tap's request: the open socket, or the status and reason of its refusal. */
async function join(
  headers: Record<string, string>,
  query = 'server=swarm&instance=one',
): Promise<WebSocket | { readonly status: number | undefined; readonly reason: string }> {
  const url = `${access.server.url.replace('http', 'ws')}${TAP_PATH}?${query}`;
  const socket = new WebSocket(url, { headers });
  const refused = new Promise<{ status: number | undefined; reason: string }>((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => {
      response.toArray().then(
        (chunks) => resolve({ status: response.statusCode, reason: chunks.join('').trim() }),
        (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
      );
    });
  });
  return await Promise.race([refused, once(socket, 'open').then(() => socket)]);
}

describe('a tap, where tokens are asked for', () => {
  test('is let in with a token that permits servers:admin, and sent away when that is revoked', async () => {
    const token = await access.token({ permissions: ['servers:admin'] });
    const before = access.server.taps.length;
    const socket = await join({ authorization: `Bearer ${token.text}` });
    if (!(socket instanceof WebSocket)) throw new Error(socket.reason);
    const closed = once(socket, 'close');
    expect(access.server.taps.slice(before)).toEqual(['swarm']);
    await access.directory.revoke(token.id);
    await access.until(() => socket.readyState === WebSocket.CLOSED);
    const [code, reason] = (await closed) as [number, Buffer]; // of ws
    expect([code, reason.toString()]).toEqual([4403, 'The token has been revoked']);
  });

  test('is refused without one, with one that is unknown, and with one that permits other things', async () => {
    const reader = await access.token({ permissions: ['agents:read', 'health:read'] });
    expect(await join({})).toMatchObject({ status: 401 });
    expect(await join({ authorization: 'Bearer swl_nobody_nothing' })).toMatchObject({ status: 401 });
    expect(await join({ authorization: `Bearer ${reader.text}` })).toEqual({
      status: 403,
      reason: expect.stringContaining('servers:admin'),
    });
  });

  test('is refused for a server that its token would not see, in the same words whether there is one', async () => {
    const swarmlens = { servers: ['swarm'] };
    const authorization = `Bearer ${await access.jwt({ scope: 'servers:admin', swarmlens })}`;
    for (const name of ['x', 'nobody']) {
      expect(await join({ authorization }, `server=${name}&instance=one`)).toEqual({
        status: 403,
        reason: 'The token does not see a server of that name.',
      });
    }
    const socket = await join({ authorization });
    if (!(socket instanceof WebSocket)) throw new Error(socket.reason);
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  });

  test('is refused when it is a web page, or has its token in the URL', async () => {
    const { text } = await access.token({ permissions: ['servers:admin'] });
    const authorization = `Bearer ${text}`;
    expect(await join({ authorization, origin: access.server.url })).toEqual({
      status: 403,
      reason: 'no web page is a tap',
    });
    expect(await join({ authorization }, `server=swarm&instance=two&token=${text}`)).toMatchObject({ status: 400 });
  });
});
