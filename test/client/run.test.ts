import { describe, expect, test } from 'vitest';
import {
  AgentDocument,
  NoticesDocument,
  OperationError,
  type OperationExecutor,
  runOperation,
  type TypedDocument,
} from '@swarmlens/client';

/** Answers every operation with these results, then stays silent until it is completed. */
function runner(
  ...results: readonly unknown[]
): OperationExecutor & { readonly payloads: unknown[]; returned: number } {
  const payloads: unknown[] = [];
  return {
    payloads,
    returned: 0,
    iterate(payload) {
      payloads.push(payload);
      const left = [...results];
      const count = (): void => {
        this.returned += 1;
      };
      return {
        [Symbol.asyncIterator]() {
          return this;
        },
        next: async () => {
          if (left.length === 0) return { done: true, value: undefined };
          const result = left.shift();
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- graphql-ws throws bare lists of errors
          if (result instanceof Error || Array.isArray(result)) throw result;
          return { done: false, value: result as never }; // whatever the test wants to come
        },
        return: async () => {
          count();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

const DOCUMENT: TypedDocument<{ readonly n: number }, { readonly v?: number }> = 'subscription { n }';

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

describe('run', () => {
  test('gives the data of each result, in order', async () => {
    expect(await all(runOperation(runner({ data: { n: 1 } }, { data: { n: 2 } }), DOCUMENT))).toEqual([
      { n: 1 },
      { n: 2 },
    ]);
  });

  test('hands the text and the variables to the client, and no variables where there are none', async () => {
    const client = runner();
    await all(runOperation(client, AgentDocument, { id: 'x:a' }));
    await all(runOperation(client, NoticesDocument));
    expect(client.payloads).toEqual([{ query: AgentDocument, variables: { id: 'x:a' } }, { query: NoticesDocument }]);
  });

  test('leaving the loop completes the operation', async () => {
    const client = runner({ data: { n: 1 } }, { data: { n: 2 } });
    for await (const { n } of runOperation(client, DOCUMENT)) if (n === 1) break;
    expect(client.returned).toBe(1);
  });

  test('a result with errors ends it with all of them and completes the operation', async () => {
    const client = runner({
      data: { n: 1 },
      errors: [{ message: 'a' }, { message: 'b', extensions: { code: 'FORBIDDEN' } }],
    });
    const failed = all(runOperation(client, DOCUMENT));
    await expect(failed).rejects.toThrow(OperationError);
    await expect(failed).rejects.toMatchObject({ message: 'a; b', code: 'FORBIDDEN' });
    expect(client.returned).toBe(1);
  });

  test('a refused operation, which the client reports as a bare list, is an OperationError', async () => {
    const failed = all(runOperation(runner([{ message: 'no', extensions: { code: 'BAD_USER_INPUT' } }]), DOCUMENT));
    await expect(failed).rejects.toMatchObject({ name: 'OperationError', message: 'no', code: 'BAD_USER_INPUT' });
  });

  test('what else the client throws is thrown on', async () => {
    const gone = new Error('socket closed');
    await expect(all(runOperation(runner(gone), DOCUMENT))).rejects.toBe(gone);
  });
});
