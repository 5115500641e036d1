import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestQueue } from '../../src/mcp/compatibility/request-queue.js';

const step = fc.oneof(
  fc.constant({ do: 'take' } as const),
  fc.record({ do: fc.constantFrom('answer', 'give up'), id: fc.nat(12) }),
);

test('whatever is taken, answered and given up: one at a time, in order, each once, and none that was given up before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const turns = new RequestQueue();
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
          outcomes.push(turns.enqueue(id, write).catch(() => undefined));
        } else if (one.do === 'answer') {
          if (open.delete(one.id)) turns.complete(one.id);
        } else {
          open.delete(one.id);
          if (turns.cancel(one.id)) neverSent.add(one.id);
        }
      }
      for (let [id] = open; id !== undefined; [id] = open) {
        open.delete(id);
        turns.complete(id);
      }
      await Promise.all(outcomes);
      const expected = Array.from({ length: taken }, (_, id) => id).filter((id) => !neverSent.has(id));
      expect(sent).toEqual(expected);
    }),
  );
});

test('a write that fails hands the turn on', async () => {
  const turns = new RequestQueue();
  const failed = turns.enqueue(1, () => Promise.reject(new Error('broken')));
  const next = turns.enqueue(2, () => Promise.resolve());
  await expect(failed).rejects.toThrow('broken');
  await next;
});

test('those that wait, and those that come later, are told of the end', async () => {
  const turns = new RequestQueue();
  await turns.enqueue(1, () => Promise.resolve());
  const waiting = turns.enqueue(2, () => Promise.resolve());
  turns.end();
  await expect(waiting).rejects.toThrow('Not connected');
  await expect(turns.enqueue(3, () => Promise.resolve())).rejects.toThrow('Not connected');
});
