import { expect, test } from 'vitest';
import { AccessServer } from '../support/access-server.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';

const WATCH = 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind cursor agents { id name } } }';

test('token expiry keeps no timers after 1,000 WebSockets and 20 SSE streams have closed', async () => {
  await using own = await AccessServer.start({ jwtOnly: true });
  const token = await own.jwt();
  for (let round = 0; round < 10; round += 1) {
    const sockets = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        index % 2 === 0
          ? RawGraphqlWsClient.withToken(own.server, token)
          : RawGraphqlWsClient.open(own.server, { authorization: `Bearer ${token}` }),
      ),
    );
    expect(own.clock.pending).toBe(1);
    for (const socket of sockets) await socket[Symbol.asyncDispose]();
  }
  for (let index = 0; index < 20; index += 1) {
    const stream = await own.post(WATCH, `Bearer ${token}`, { accept: 'text/event-stream' });
    await stream.body?.cancel();
  }
  // The server notices only after a moment that the last clients have disconnected.
  await own.until(async () => {
    const response = await own.post(
      '{ health { connections { open subscriptions } } }',
      `Bearer ${await own.jwt({ scope: 'health:read' })}`,
    );
    return (await response.text()).includes('"open":0,"subscriptions":0');
  });
  expect(own.clock.pending).toBe(0);
});
