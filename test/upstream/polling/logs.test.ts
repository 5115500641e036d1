import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Logger } from '../../../src/shared/index.js';
import type { UpstreamOptions } from '../../../src/upstream/index.js';
import { settled } from '../../support/manual-clock.js';
import { serverConfig } from '../../support/app.js';
import { holdTime } from '../guard/support.js';
import { broken, byAge, killed, type ScriptedServer } from '../pool/scripted.js';
import { ScriptedSwarm } from './scripted-swarm.js';

interface Line {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: object;
}

/** Swarm with one scripted server that records its log. */
class LoggedSwarm extends ScriptedSwarm {
  readonly lines: Line[];
  readonly server: ScriptedServer;

  constructor(settings: Partial<UpstreamOptions> = {}) {
    const lines: Line[] = [];
    const write =
      (level: keyof Logger) =>
      (fields: object, message: string): void => {
        lines.push({ level, fields, message });
      };
    super([() => ['a']], settings, {
      logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    });
    this.lines = lines;
    const [server] = this.servers;
    if (server === undefined) throw new Error('no server');
    this.server = server;
  }

  /** Messages that the default log level shows. */
  get warnings(): string[] {
    return this.lines.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message);
  }
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

describe('Log of UpstreamRegistry', () => {
  test('contains no warning about a server that works and renews its sessions', async () => {
    await using swarm = new LoggedSwarm();
    await pass(1_000);
    swarm.server.session?.end(byAge());
    await pass(1_000);
    expect(swarm.warnings).toEqual([]);
    expect(swarm.lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['server connected', 'server session renewed']),
    );
  });

  test('warns about a lost server with the reason, about its status and about its return', async () => {
    await using swarm = new LoggedSwarm();
    await pass(1_000);
    swarm.server.session?.end(killed());
    await pass(10_000);
    expect(swarm.lines.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        message: 'server is not connected, reconnecting',
        fields: { serverId: 's', replicaId: 's', reason: 'exited with 137' },
      },
      {
        level: 'warn',
        message: 'server health changed',
        fields: expect.objectContaining({ serverId: 's', status: 'OFFLINE', reason: 'exited with 137' }),
      },
      { level: 'warn', message: 'server reconnected', fields: { serverId: 's', replicaId: 's', restarts: 1 } },
    ]);
    expect(
      swarm.lines.some(({ level, fields }) => level === 'info' && 'status' in fields && fields.status === 'ONLINE'),
    ).toBe(true);
  });

  test('warns once when a circuit breaker opens', async () => {
    await using swarm = new LoggedSwarm();
    await pass(1_000);
    swarm.server.onCall = broken;
    swarm.server.onPing = broken;
    await pass(10_000);
    const opened = swarm.lines.filter(({ fields }) => 'circuitState' in fields && fields.circuitState === 'OPEN');
    expect(opened.length).toBeGreaterThan(0);
    expect(opened.every(({ level }) => level === 'warn')).toBe(true);
    expect(opened[0]?.fields).toMatchObject({ previousCircuitState: 'CLOSED', reason: 'ECONNREFUSED' });
  });

  test('warns about a command that is given up, and about fewer and fewer of its failed starts', async () => {
    await using swarm = new LoggedSwarm();
    swarm.server.isCommand = true;
    swarm.server.refuses = 'exited with code 1';
    const endpoint = swarm.server.endpoint;
    await swarm.registry.remove('s');
    swarm.lines.length = 0;
    swarm.registry.add({
      ...serverConfig('s', []),
      endpoint,
      restart: { initialMs: 500, maxMs: 500, maxAttempts: 10 },
    });
    await pass(60_000);
    const messages = swarm.warnings.join('\n');
    expect(messages).toContain('given up after 10 failed starts');
    expect(messages.match(/failed \d+ times in a row/g)).toEqual([
      'failed 4 times in a row',
      'failed 8 times in a row',
    ]);
    expect(swarm.warnings.filter((message) => message.includes('reconnecting'))).toHaveLength(1);
  });
});

describe('Counters of UpstreamRegistry', () => {
  test('count connections, their failures and restarts', async () => {
    await using swarm = new LoggedSwarm();
    await pass(1_000);
    const counters = (): unknown => {
      const [replica] = swarm.registry.health('s')?.replicas ?? [];
      return [replica?.connects, replica?.connectionFailures, replica?.restarts];
    };
    expect(counters()).toEqual([1, 0, 0]);
    swarm.server.session?.end(byAge());
    await pass(1_000);
    expect(counters()).toEqual([2, 0, 1]);
    swarm.server.refuses = 'ECONNREFUSED';
    swarm.server.session?.end(killed());
    await pass(1_400);
    expect(counters()).toEqual([2, 3, 1]);
    swarm.server.refuses = null;
    await pass(30_000);
    expect(counters()).toEqual([3, 3, 2]);
  });
});
