import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { DEFAULT_SERVER_OPTIONS } from '../../src/config/index.js';
import { MemoryBus } from '../../src/cluster/index.js';
import { systemClock } from '../../src/shared/index.js';
import { TapRegistry } from '../../src/upstream/tap-registry.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { settled } from '../support/manual-clock.js';

/** Stub of the parts of a WebSocket that the registry uses. */
class Socket extends EventEmitter {
  readonly closes: number[] = [];
  readonly readyState = 1;

  terminate(): void {
    this.emit('close', 1006, Buffer.from(''));
  }

  close(code: number, reason = ''): void {
    // ws rejects longer reasons in the same way.
    if (Buffer.byteLength(reason) > 123) throw new RangeError('The message must not be greater than 123 bytes');
    this.closes.push(code);
  }

  leave(): void {
    this.emit('close', 1000, Buffer.from(''));
  }
}

describe('TapRegistry', () => {
  test('accepts new taps after the servers of a thousand taps have been removed', async () => {
    await using bus = new MemoryBus();
    const serverIds = new Set<string>();
    const registry = new TapRegistry({
      upstreams: {
        add: ({ id }) => void serverIds.add(id),
        remove: () => Promise.resolve(),
        reconfigure: () => undefined,
        reconnect: (id) => serverIds.has(id),
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
      registry.join({
        name: `swarm ${round}`,
        instance: `${round}`,
        allowTools: [],
        socket: socket as unknown as WebSocket,
      }); // the stub has what the registry uses
      expect(socket.closes).toEqual([]);
      expect(serverIds).toEqual(new Set([`swarm ${round}`]));
      socket.leave();
      serverIds.clear();
    }
  });

  test('gives a tap the next name when another node owns the server of its name', async () => {
    await using bus = new MemoryBus();
    const elsewhere = new Set(['flow']);
    const serverIds: string[] = [];
    const removed: string[] = [];
    const registry = new TapRegistry({
      upstreams: {
        add: ({ id }) => void serverIds.push(id),
        remove: (id) => Promise.resolve(void removed.push(id)),
        reconfigure: () => undefined,
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
    registry.join({ name: 'flow', instance: '1', allowTools: [], socket: first as unknown as WebSocket }); // the stub has what the registry uses
    expect(serverIds).toEqual(['flow-2']);
    // The tap joins before the other node has acquired the name.
    registry.join({ name: 'other', instance: '2', allowTools: [], socket: second as unknown as WebSocket }); // the stub has what the registry uses
    elsewhere.add('other');
    await settled();
    expect([first.closes, second.closes, removed]).toEqual([[], [1012], ['other']]);
    const again = new Socket();
    registry.join({ name: 'other', instance: '2', allowTools: [], socket: again as unknown as WebSocket }); // the stub has what the registry uses
    await settled();
    expect([serverIds, again.closes]).toEqual([['flow-2', 'other', 'other-2'], []]);
  });

  test('rejects a tap whose name is taken with a close reason that fits into a close frame', async () => {
    await using bus = new MemoryBus();
    const registry = new TapRegistry({
      upstreams: {
        add: ({ id }) => {
          throw new Error(`Server "${id}" already exists.`);
        },
        remove: () => Promise.resolve(),
        reconfigure: () => undefined,
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
    registry.join({ name: '\u6e2c'.repeat(64), instance: '1', allowTools: [], socket: socket as unknown as WebSocket }); // the stub has what the registry uses
    expect(socket.closes).toEqual([4409]);
  });

  test('lets clients call the tools that the latest tap of a server allows, and no others', async () => {
    await using bus = new MemoryBus();
    const allowed: (readonly string[])[] = [];
    const registry = new TapRegistry({
      upstreams: {
        add: ({ allowTools }) => void allowed.push(allowTools),
        remove: () => Promise.resolve(),
        reconfigure: ({ allowTools }) => void allowed.push(allowTools),
        reconnect: () => true,
        isOwnedElsewhere: () => false,
        isOwnedHere: () => Promise.resolve(true),
      },
      defaults: DEFAULT_SERVER_OPTIONS,
      bus,
      clock: systemClock,
      logger: silentLogger,
      isConfigured: () => false,
    });
    const join = (instance: string, allowTools: readonly string[]): Socket => {
      const socket = new Socket();
      registry.join({ name: 'flow', instance, allowTools, socket: socket as unknown as WebSocket }); // the stub has what the registry uses
      return socket;
    };
    join('1', ['agent_spawn']).leave();
    join('2', []);
    expect(allowed).toEqual([['agent_spawn'], []]);
  });
});
