import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createView } from '../../../src/state/index.js';
import { settled } from '../../support/manual-clock.js';
import { holdTime } from '../guard/support.js';
import { ScriptedSwarm } from './scripted-swarm.js';

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

/** Server whose list of agents the test changes, with subscribers at 10 Hz. */
class ChangingSwarm implements AsyncDisposable {
  #agents = ['a0'];
  readonly swarm = new ScriptedSwarm([() => this.#agents]);
  readonly #demand = this.swarm.demand.add(createView(), 10);

  get pollCount(): number {
    return this.swarm.servers[0]?.requests.filter((request) => request === 'list_agents').length ?? 0;
  }

  /** Changes the agents, and announces it if `isAnnounced`. */
  change(isAnnounced: boolean): void {
    this.#agents = [`a${Number(this.#agents[0]?.slice(1)) + 1}`];
    if (isAnnounced) this.push();
  }

  push(): void {
    this.swarm.servers[0]?.session?.pushes.emit({
      kind: 'NOTIFICATION',
      method: 'notifications/resources/updated',
      params: { uri: 'agents://list' },
    });
  }

  /** Returns the number of polls in ten seconds. */
  async pollsInTenSeconds(): Promise<number> {
    const before = this.pollCount;
    await pass(10_000);
    return this.pollCount - before;
  }

  /** Whether the newest agents are known. */
  get isCurrent(): boolean {
    return this.swarm.seen.ids.join() === this.#agents.join();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#demand[Symbol.dispose]();
    await this.swarm[Symbol.asyncDispose]();
  }
}

describe('ServerPoller with a server that announces its changes', () => {
  test('polls once per announcement and by the heartbeat, once all changes were announced', async () => {
    await using changing = new ChangingSwarm();
    await pass(1_000);
    expect(await changing.pollsInTenSeconds()).toBeGreaterThan(90);
    for (let change = 0; change < 4; change += 1) {
      changing.change(true);
      await pass(200);
      expect(changing.isCurrent).toBe(true);
    }
    // The heartbeat is one second.
    expect(await changing.pollsInTenSeconds()).toBeLessThanOrEqual(11);
    const before = changing.pollCount;
    for (let push = 0; push < 100; push += 1) changing.push();
    changing.change(true);
    await pass(50);
    expect(changing.isCurrent).toBe(true);
    expect(changing.pollCount - before).toBeLessThanOrEqual(2);
  });

  test('polls at the demanded rate again after an unannounced change', async () => {
    await using changing = new ChangingSwarm();
    await pass(1_000);
    for (let change = 0; change < 4; change += 1) {
      changing.change(true);
      await pass(200);
    }
    changing.change(false);
    await pass(3_000);
    expect(changing.isCurrent).toBe(true);
    expect(await changing.pollsInTenSeconds()).toBeGreaterThan(90);
  });

  test('polls at the demanded rate when only some changes are announced', async () => {
    await using changing = new ChangingSwarm();
    await pass(1_000);
    for (let change = 0; change < 20; change += 1) {
      changing.change(change % 2 === 0);
      await pass(500);
    }
    expect(await changing.pollsInTenSeconds()).toBeGreaterThan(90);
  });

  test('follows changes that never stop at the demanded rate', async () => {
    await using changing = new ChangingSwarm();
    await pass(1_000);
    for (let change = 0; change < 4; change += 1) {
      changing.change(true);
      await pass(200);
    }
    const before = changing.pollCount;
    for (let change = 0; change < 150; change += 1) {
      changing.change(true);
      await pass(150);
      expect(changing.isCurrent).toBe(true);
    }
    // One poll for each change, and the heartbeat.
    expect(changing.pollCount - before).toBeLessThanOrEqual(150 + 23);
  });
});
