import { describe, expect, test } from 'vitest';
import { LivenessMonitor, type MonitoredClient } from '../../src/server/limits/liveness-monitor.js';
import { ManualClock, settled } from '../support/manual-clock.js';

/** Client that owes an answer since it was created or asked again. */
class SilentClient implements MonitoredClient {
  sinceMs: number | null;
  closed = 0;

  constructor(monitor: LivenessMonitor) {
    this.sinceMs = monitor.nowMs;
    monitor.watch(this);
  }

  waitingSinceMs(): number | null {
    return this.closed > 0 ? null : this.sinceMs;
  }

  closeUnresponsive(): void {
    this.closed += 1;
  }
}

function setup(maxSlowMs: number | null): { clock: ManualClock; monitor: LivenessMonitor; client: SilentClient } {
  const clock = new ManualClock();
  const monitor = new LivenessMonitor({ clock, maxSlowMs });
  return { clock, monitor, client: new SilentClient(monitor) };
}

describe('LivenessMonitor', () => {
  test('closes a client once when it has owed an answer for the limit', async () => {
    const { clock, client } = setup(60_000);
    await clock.pass(59_000, 1_000);
    expect(client.closed).toBe(0);
    await clock.pass(20_000, 1_000);
    expect(client.closed).toBe(1);
  });

  test('keeps a client that owes nothing, or that owed something before', async () => {
    const { clock, monitor, client } = setup(1_000);
    const asked = new SilentClient(monitor);
    client.sinceMs = null;
    for (let round = 0; round < 50; round += 1) {
      asked.sinceMs = monitor.nowMs;
      await clock.pass(500, 100);
    }
    expect([client.closed, asked.closed]).toEqual([0, 0]);
  });

  test('does not count the time of stalls of this process, however often it stalls', async () => {
    const { clock, client } = setup(60_000);
    for (let round = 0; round < 5; round += 1) {
      clock.stall(100_000);
      await settled();
    }
    expect(client.closed).toBe(0);
    await clock.pass(120_000, 1_000);
    expect(client.closed).toBe(1);
  });

  test('lets answers that arrived during a stall be read before it closes a client', async () => {
    const { clock, monitor, client } = setup(1_000);
    await clock.pass(900, 100);
    clock.stall(10_000);
    // What has arrived is read after the timers of the turn.
    client.sinceMs = null;
    await settled();
    await clock.pass(1_000, 100);
    expect(client.closed).toBe(0);
    monitor[Symbol.dispose]();
    expect(clock.pending).toBe(0);
  });

  test('closes nobody without a limit', async () => {
    const { clock, client } = setup(null);
    await clock.pass(1_000_000, 10_000);
    expect(client.closed).toBe(0);
  });

  test('schedules nothing while no client is watched', () => {
    const clock = new ManualClock();
    const monitor = new LivenessMonitor({ clock, maxSlowMs: 1_000 });
    const watching = monitor.watch({ waitingSinceMs: () => null, closeUnresponsive: () => undefined });
    expect(clock.pending).toBe(1);
    watching[Symbol.dispose]();
    expect(clock.pending).toBe(0);
  });
});
