import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { createSwarmClientWith } from '../../src/client/create-client.js';
import { ViewerDocument } from '../../src/client/index.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { recorder, until } from './looking.js';
import { surroundingsOf } from './manual-surroundings.js';
import { waitUntil } from '../support/wait.js';

const ROUNDS = 1_000;

test('1,000 rounds of looking and leaving leave no listener, timer or operation behind', async () => {
  await using server = await DeliveryServer.start({}, {}, { maxMessagesPerSecond: 1_000_000 });
  server.show(0, 3, 0);
  const clock = new ManualClock();
  const { sockets, webSocketImpl } = recorder();
  const abort = new AbortController();
  const options = { url: server.url, webSocketImpl, signal: abort.signal };
  const client = createSwarmClientWith(options, surroundingsOf(clock));
  const shared = client.agents({}, 'HIGH_FREQUENCY');
  await client.query(ViewerDocument);
  await until(shared, ({ status }) => status === 'LIVE');
  await until(client.connection, ({ latencyMs }) => latencyMs !== null);
  const [socket] = sockets;
  if (socket === undefined) throw new Error('there is no socket');
  const listeners = (): readonly number[] => [
    getEventListeners(abort.signal, 'abort').length,
    ...socket.eventNames().map((name) => socket.listenerCount(name)),
  ];
  const before = { timers: clock.pending, listeners: listeners() };

  for (let round = 0; round < ROUNDS; round += 1) {
    const leaves = [
      shared,
      client.agents(),
      client.topology(),
      client.metrics(),
      client.health(),
      client.notices(),
    ].map((stream) => stream.subscribe(() => undefined));
    leaves.push(client.connection.subscribe(() => undefined));
    const ending = client.notices({ signal: abort.signal });
    const updates = ending[Symbol.asyncIterator]();
    const last = updates.next();
    // All of it has been sent in every tenth round, and is taken back before that in the others.
    if (round % 10 === 0) await client.query(ViewerDocument);
    for (const leave of leaves) leave();
    ending.dispose();
    expect(await last).toEqual({ done: true, value: undefined });
  }

  // The server answers that after all that was sent before it.
  await client.query(ViewerDocument);
  await waitUntil(() => server.active.size === 0, { state: () => server.active.size });
  expect({ timers: clock.pending, listeners: listeners() }).toEqual(before);
  expect(shared.getSnapshot().status).toBe('IDLE');
  await client.dispose();
  expect(clock.pending).toBe(0);
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  expect(sockets).toHaveLength(1);
});
