import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RequestQueue } from '../../src/mcp/compatibility/request-queue.js';

const step = fc.oneof(
  fc.constant({ do: 'enqueue' } as const),
  fc.record({ do: fc.constantFrom('complete', 'cancel'), id: fc.nat(12) }),
);

describe('RequestQueue', () => {
  test('for any steps: sends each request once, in order, one at a time, unless it is cancelled before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const queue = new RequestQueue();
        const sent: number[] = [];
        const open = new Set<number>();
        const neverSent = new Set<number>();
        let enqueued = 0;
        const outcomes: Promise<unknown>[] = [];
        for (const one of steps) {
          if (one.do === 'enqueue') {
            const id = enqueued;
            enqueued += 1;
            const write = (): Promise<void> => {
              expect(open.size).toBe(0);
              open.add(id);
              sent.push(id);
              return Promise.resolve();
            };
            outcomes.push(queue.enqueue(id, write).catch(() => undefined));
          } else if (one.do === 'complete') {
            if (open.delete(one.id)) queue.complete(one.id);
          } else {
            open.delete(one.id);
            if (queue.cancel(one.id)) neverSent.add(one.id);
          }
        }
        for (let [id] = open; id !== undefined; [id] = open) {
          open.delete(id);
          queue.complete(id);
        }
        await Promise.all(outcomes);
        const expected = Array.from({ length: enqueued }, (_, id) => id).filter((id) => !neverSent.has(id));
        expect(sent).toEqual(expected);
      }),
    );
  });

  test('continues with the next request when a write fails', async () => {
    const queue = new RequestQueue();
    const failed = queue.enqueue(1, () => Promise.reject(new Error('broken')));
    const next = queue.enqueue(2, () => Promise.resolve());
    await expect(failed).rejects.toThrow('broken');
    await next;
  });

  test('rejects waiting and later requests after its end', async () => {
    const queue = new RequestQueue();
    await queue.enqueue(1, () => Promise.resolve());
    const waiting = queue.enqueue(2, () => Promise.resolve());
    queue.end();
    await expect(waiting).rejects.toThrow('Not connected');
    await expect(queue.enqueue(3, () => Promise.resolve())).rejects.toThrow('Not connected');
  });
});
