import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { DEFAULT_SERVER_OPTIONS } from '../../src/config/index.js';
import { MemoryBus } from '../../src/cluster/index.js';
import { systemClock } from '../../src/shared/index.js';
import { TapRegistry } from '../../src/upstream/tap-registry.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { settled } from '../support/manual-clock.js';

/** What of a socket is looked at here. */
class Socket extends EventEmitter {
  readonly closes: number[] = [];
  readonly readyState = 1;

  close(code: number, reason = ''): void {
    // As ws has it.
    if (Buffer.byteLength(reason) > 123) throw new RangeError('The message must not be greater than 123 bytes');
    this.closes.push(code);
  }

  leave(): void {
    this.emit('close', 1000, Buffer.from(''));
  }
}

test('a thousand taps that come, go and leave the picture take no place from the next one', async () => {
  await using bus = new MemoryBus();
  const watched = new Set<string>();
  const tapped = new TapRegistry({
    upstreams: {
      add: ({ id }) => void watched.add(id),
      remove: () => Promise.resolve(),
      reconnect: (id) => watched.has(id),
      isOwnedElsewhere: () => false,
      isOwnedHere: () => Promise.resolve(true),
    },
    defaults: DEFAULT_SERVER_OPTIONS,
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

test('a tap whose name another node watches gets the next one; one that lost its name in the same moment comes back', async () => {
  await using bus = new MemoryBus();
  const elsewhere = new Set(['flow']);
  const watched: string[] = [];
  const removed: string[] = [];
  const tapped = new TapRegistry({
    upstreams: {
      add: ({ id }) => void watched.push(id),
      remove: (id) => Promise.resolve(void removed.push(id)),
      reconnect: () => true,
      isOwnedElsewhere: (id) => elsewhere.has(id),
      isOwnedHere: async (id) => {
        await Promise.resolve();
        return !elsewhere.has(id);
      },
    },
    defaults: DEFAULT_SERVER_OPTIONS,
    bus,
    clock: systemClock,
    logger: silentLogger,
    isConfigured: () => false,
  });
  const [first, second] = [new Socket(), new Socket()];
  tapped.join({ name: 'flow', instance: '1', socket: first as unknown as WebSocket }); // see there
  expect(watched).toEqual(['flow-2']);
  // Before it is known who has the name.
  tapped.join({ name: 'other', instance: '2', socket: second as unknown as WebSocket }); // see there
  elsewhere.add('other');
  await settled();
  expect([first.closes, second.closes, removed]).toEqual([[], [1012], ['other']]);
  const again = new Socket();
  tapped.join({ name: 'other', instance: '2', socket: again as unknown as WebSocket }); // see there
  await settled();
  expect([watched, again.closes]).toEqual([['flow-2', 'other', 'other-2'], []]);
});

test('a tap is refused whose name is taken, however long that is', async () => {
  await using bus = new MemoryBus();
  const tapped = new TapRegistry({
    upstreams: {
      add: ({ id }) => {
        throw new Error(`Server "${id}" already exists.`);
      },
      remove: () => Promise.resolve(),
      reconnect: () => false,
      isOwnedElsewhere: () => false,
      isOwnedHere: () => Promise.resolve(true),
    },
    defaults: DEFAULT_SERVER_OPTIONS,
    bus,
    clock: systemClock,
    logger: silentLogger,
    isConfigured: () => false,
  });
  const socket = new Socket();
  tapped.join({ name: '\u6e2c'.repeat(64), instance: '1', socket: socket as unknown as WebSocket }); // see there
  expect(socket.closes).toEqual([4409]);
});
