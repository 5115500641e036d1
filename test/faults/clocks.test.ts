import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/shared/index.js';
import { Control } from './control.js';
import { expectWhole } from './ending.js';
import { overStdio } from './endpoints.js';
import { SLOW, Stage } from './stage.js';

const FORTY_YEARS_MS = 40 * 365 * 24 * 3_600_000;

describe.concurrent('clock far off', SLOW, () => {
  test("a server's own, by decades: its times are told as it has them, when it was seen in ours, and it is never stale", async () => {
    await using control = await Control.open();
    const behind = control.expect('behind', { type: 'daa', clockOffsetMs: -FORTY_YEARS_MS });
    const ahead = control.expect('ahead', { type: 'daa', clockOffsetMs: FORTY_YEARS_MS });
    await using stage = await Stage.open([overStdio(behind), overStdio(ahead)]);
    await stage.goesOn('behind');
    await stage.goesOn('ahead');
    const { agents } = await stage.ask('{ agents(serverTypes: [DAA]) { serverId createdAt lastSeenAt } }');
    const told = agents as { serverId: string; createdAt: string; lastSeenAt: string }[]; // as the schema has it
    expect(new Set(told.map(({ serverId }) => serverId))).toEqual(new Set(['behind', 'ahead']));
    const nowMs = Date.now();
    for (const { serverId, createdAt, lastSeenAt } of told) {
      const offsetMs = serverId === 'behind' ? -FORTY_YEARS_MS : FORTY_YEARS_MS;
      expect(yearsBetween(Date.parse(createdAt), nowMs + offsetMs)).toBe(0);
      expect(yearsBetween(Date.parse(lastSeenAt), nowMs)).toBe(0);
    }
    await expectWhole(stage, [behind, ahead]);
    expect([...stage.health('behind'), ...stage.health('ahead')]).toEqual([]);
    expect(stage.stream.data.flatMap(({ agentUpdates }) => agentUpdates.staleServerIds)).toEqual([]);
  });

  test('our own, which jumps back and then ahead by decades: every update goes on, nothing is noticed', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    const clock = { ...systemClock, offsetMs: 0, now: () => Date.now() + clock.offsetMs };
    await using stage = await Stage.open([overStdio(shaky)], { clock });
    for (const offsetMs of [-FORTY_YEARS_MS, FORTY_YEARS_MS]) {
      clock.offsetMs = offsetMs;
      await stage.goesOn('shaky');
      await stage.goesOn();
    }
    const last = stage.stream.data.at(-1)?.agentUpdates.timestamp ?? '';
    expect(yearsBetween(Date.parse(last), Date.now() + FORTY_YEARS_MS)).toBe(0);
    await expectWhole(stage, [shaky]);
    expect(stage.health('shaky')).toEqual([]);
  });
});

function yearsBetween(aMs: number, bMs: number): number {
  return Math.trunc(Math.abs(aMs - bMs) / (365 * 24 * 3_600_000));
}
