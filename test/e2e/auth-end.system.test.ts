import { expect, test } from 'vitest';
import { AccessServer } from '../support/access-server.js';
import { BareSocket } from '../support/bare-socket.js';

const WATCH = 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind cursor agents { id name } } }';

test('1,000 sockets that are let in and leave, one half while it is found out who they are, leave no timer behind, nor do streams over SSE', async () => {
  await using own = await AccessServer.start({ jwtOnly: true });
  const token = await own.jwt();
  for (let round = 0; round < 10; round += 1) {
    const sockets = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        index % 2 === 0
          ? BareSocket.withToken(own.server, token)
          : BareSocket.open(own.server, { authorization: `Bearer ${token}` }),
      ),
    );
    expect(own.clock.pending).toBe(1);
    for (const socket of sockets) await socket[Symbol.asyncDispose]();
  }
  for (let made = 0; made < 20; made += 1) {
    const stream = await own.post(WATCH, `Bearer ${token}`, { accept: 'text/event-stream' });
    await stream.body?.cancel();
  }
  // Until the last of them is gone on the server's side, too.
  await own.until(async () => {
    const response = await own.post(
      '{ health { connections { open subscriptions } } }',
      `Bearer ${await own.jwt({ scope: 'health:read' })}`,
    );
    return (await response.text()).includes('"open":0,"subscriptions":0');
  });
  expect(own.clock.pending).toBe(0);
});
