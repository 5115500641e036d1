import { describe, expect, test } from 'vitest';
import {
  AgentDocument,
  NoticesDocument,
  OperationError,
  type OperationExecutor,
  runOperation,
  type TypedDocument,
} from '@swarmlens/client';

/** Creates an executor that yields these results for every operation. */
function createExecutor(
  ...results: readonly unknown[]
): OperationExecutor & { readonly payloads: unknown[]; returned: number } {
  const payloads: unknown[] = [];
  return {
    payloads,
    returned: 0,
    iterate(payload) {
      payloads.push(payload);
      const remaining = [...results];
      const count = (): void => {
        this.returned += 1;
      };
      return {
        [Symbol.asyncIterator]() {
          return this;
        },
        next: async () => {
          if (remaining.length === 0) return { done: true, value: undefined };
          const result = remaining.shift();
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- graphql-ws throws bare lists of errors
          if (result instanceof Error || Array.isArray(result)) throw result;
          return { done: false, value: result as never }; // the test decides the type
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

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

describe('runOperation', () => {
  test('yields the data of each result in order', async () => {
    expect(await collect(runOperation(createExecutor({ data: { n: 1 } }, { data: { n: 2 } }), DOCUMENT))).toEqual([
      { n: 1 },
      { n: 2 },
    ]);
  });

  test('passes the document and its variables to the client', async () => {
    const client = createExecutor();
    await collect(runOperation(client, AgentDocument, { id: 'x:a' }));
    await collect(runOperation(client, NoticesDocument));
    expect(client.payloads).toEqual([{ query: AgentDocument, variables: { id: 'x:a' } }, { query: NoticesDocument }]);
  });

  test('completes the operation when the loop is left', async () => {
    const client = createExecutor({ data: { n: 1 } }, { data: { n: 2 } });
    for await (const { n } of runOperation(client, DOCUMENT)) if (n === 1) break;
    expect(client.returned).toBe(1);
  });

  test('throws all errors of a result and completes the operation', async () => {
    const client = createExecutor({
      data: { n: 1 },
      errors: [{ message: 'a' }, { message: 'b', extensions: { code: 'FORBIDDEN' } }],
    });
    const failed = collect(runOperation(client, DOCUMENT));
    await expect(failed).rejects.toThrow(OperationError);
    await expect(failed).rejects.toMatchObject({ message: 'a; b', code: 'FORBIDDEN' });
    expect(client.returned).toBe(1);
  });

  test('throws an OperationError when the client rejects with a bare list of errors', async () => {
    const failed = collect(
      runOperation(createExecutor([{ message: 'no', extensions: { code: 'BAD_USER_INPUT' } }]), DOCUMENT),
    );
    await expect(failed).rejects.toMatchObject({ name: 'OperationError', message: 'no', code: 'BAD_USER_INPUT' });
  });

  test('rethrows other errors of the client', async () => {
    const gone = new Error('socket closed');
    await expect(collect(runOperation(createExecutor(gone), DOCUMENT))).rejects.toBe(gone);
  });
});
