import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { MemoryBus } from '../../src/bus/index.js';
import { systemClock } from '../../src/shared/index.js';
import { TappedServers } from '../../src/tapped-servers.js';
import { silentLogger } from '../../src/telemetry/index.js';

/** What of a socket is looked at here. */
class Socket extends EventEmitter {
  readonly closes: number[] = [];
  readonly readyState = 1;

  close(code: number): void {
    this.closes.push(code);
  }

  leave(): void {
    this.emit('close', 1000, Buffer.from(''));
  }
}

test('a thousand taps that come, go and leave the picture take no place from the next one', async () => {
  await using bus = new MemoryBus();
  const watched = new Set<string>();
  const tapped = new TappedServers({
    collector: { add: ({ id }) => void watched.add(id), reconnect: (id) => watched.has(id) },
    bus,
    clock: systemClock,
    logger: silentLogger,
    isConfigured: () => false,
  });
  for (let round = 0; round < 1_000; round += 1) {
    const socket = new Socket();
    tapped.join({ name: `swarm ${round}`, instance: `${round}`, socket: socket as unknown as WebSocket }); // see there
    expect(socket.closes).toEqual([]);
    expect(watched).toEqual(new Set([`swarm ${round}`]));
    socket.leave();
    watched.clear();
  }
});
