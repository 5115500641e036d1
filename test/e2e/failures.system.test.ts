import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { request, serverConfig, simulator, SocketClient, startApp } from '../support/app.js';
import { waitUntil } from '../support/wait.js';

describe('a server that cannot be reached', () => {
  test('a server that never starts does not keep the others from streaming, and is told as offline', async () => {
    await using app = await startApp([
      serverConfig('never', ['--eval', 'process.stderr.write("licence expired\\n"); process.exit(1)']),
      {
        ...serverConfig('missing', []),
        endpoint: { type: 'stdio', command: 'no-such-command', args: [], cwd: process.cwd(), env: {} },
      },
      simulator('daa', { hz: 20 }),
    ]);
    await using client = new SocketClient(app);
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    await stream.until(({ length }) => length >= 3);
    const { data } = await request(app, '{ servers { id status lastError } health { status } }');
    expect(data).toMatchObject({
      servers: [
        { id: 'never', status: 'OFFLINE', lastError: expect.stringContaining('licence expired') },
        {
          id: 'missing',
          status: 'OFFLINE',
          lastError: 'command not found: no-such-command (in ' + process.cwd() + ')',
        },
        { id: 'daa', status: 'ONLINE', lastError: null },
      ],
      health: { status: 'DEGRADED' },
    });
  });
});

describe('many clients', () => {
  test('1,000 rounds of subscribing and leaving over real sockets leave no stream behind', async () => {
    await using app = await startApp([simulator('ruv-swarm', { hz: 20 })]);
    for (let round = 0; round < 20; round += 1) {
      await using client = new SocketClient(app);
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const modes = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'];
          using stream = client.watchAgents({ mode: modes[index % modes.length] });
          await stream.until(({ length }) => length >= 1);
        }),
      );
    }
    await using witness = new SocketClient(app);
    using stream = witness.watchAgents({ mode: 'NORMAL' });
    await stream.until(({ length }) => length >= 3);
    let seen: unknown;
    const areGone = async (): Promise<boolean> => {
      seen = (await request(app, '{ health { connections { open subscriptions } } }')).data;
      return isDeepStrictEqual(seen, { health: { connections: { open: 1, subscriptions: 1 } } });
    };
    await waitUntil(areGone, { state: () => seen });
  });
});
