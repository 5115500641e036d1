import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OneInFlight } from '../../src/mcp/one-in-flight.js';

const step = fc.oneof(
  fc.constant({ do: 'take' } as const),
  fc.record({ do: fc.constantFrom('answer', 'give up'), id: fc.nat(12) }),
);

test('whatever is taken, answered and given up: one at a time, in order, each once, and none that was given up before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const turns = new OneInFlight();
      const sent: number[] = [];
      const open = new Set<number>();
      const neverSent = new Set<number>();
      let taken = 0;
      const outcomes: Promise<unknown>[] = [];
      for (const one of steps) {
        if (one.do === 'take') {
          const id = taken;
          taken += 1;
          const write = (): Promise<void> => {
            expect(open.size).toBe(0);
            open.add(id);
            sent.push(id);
            return Promise.resolve();
          };
          outcomes.push(turns.take(id, write).catch(() => undefined));
        } else if (one.do === 'answer') {
          if (open.delete(one.id)) turns.done(one.id);
        } else {
          open.delete(one.id);
          if (turns.giveUp(one.id)) neverSent.add(one.id);
        }
      }
      for (let [id] = open; id !== undefined; [id] = open) {
        open.delete(id);
        turns.done(id);
      }
      await Promise.all(outcomes);
      const expected = Array.from({ length: taken }, (_, id) => id).filter((id) => !neverSent.has(id));
      expect(sent).toEqual(expected);
    }),
  );
});

test('a write that fails hands the turn on', async () => {
  const turns = new OneInFlight();
  const failed = turns.take(1, () => Promise.reject(new Error('broken')));
  const next = turns.take(2, () => Promise.resolve());
  await expect(failed).rejects.toThrow('broken');
  await next;
});

test('those that wait, and those that come later, are told of the end', async () => {
  const turns = new OneInFlight();
  await turns.take(1, () => Promise.resolve());
  const waiting = turns.take(2, () => Promise.resolve());
  turns.end();
  await expect(waiting).rejects.toThrow('Not connected');
  await expect(turns.take(3, () => Promise.resolve())).rejects.toThrow('Not connected');
});
