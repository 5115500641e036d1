import { type OperationRunner, run, type TypedDocument } from '../src/client/index.js';

/** The answer to a query or mutation. @throws OperationError the server refused it */
export async function ask<TResult, TVariables extends Record<string, unknown>>(
  client: OperationRunner,
  document: TypedDocument<TResult, TVariables>,
  variables: TVariables,
): Promise<TResult> {
  const results = run(client, document, variables);
  const first = await results.next();
  if (first.done === true) throw new Error('the server gave no answer');
  // Read to its end: to stop before would tell the server to stop, too.
  await results.next();
  return first.value;
}
