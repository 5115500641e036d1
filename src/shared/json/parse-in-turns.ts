import { forEachInTurns } from '../turns.js';
import { type JsonSliceHandler, JsonSlicer } from './json-slicer.js';

/** Limits of a message. They exceed those of sanitized values, so that sanitizing detects and counts what it removes. */
const MESSAGE_HANDLER: JsonSliceHandler<null> = {
  maxEntries: 50_001,
  maxDepth: 64,
  maxTextLength: Infinity,
  parse: (json) => JSON.parse(json) as unknown,
  text: (text) => text,
  member: (name) => ({ kind: 'READ', name, context: null }),
  onCut: () => undefined,
};

/**
 * Parses a JSON text of any length in several turns of the event loop. Lists and objects have at most 50,001 entries, and long ones
 * below 64 levels become null.
 * @throws SyntaxError if the text is not JSON
 */
export function parseJsonInTurns(bytes: Buffer): Promise<unknown> {
  return runInTurns(new JsonSlicer(bytes, MESSAGE_HANDLER).parse(null));
}

/** Runs the steps of a computation in several turns of the event loop, and returns its result. */
export async function runInTurns<T>(steps: Generator<void, T>): Promise<T> {
  let result: { readonly value: T } | undefined;
  const run = function* (): Generator<void, void> {
    result = { value: yield* steps };
  };
  await forEachInTurns(run(), () => undefined);
  if (result === undefined) throw new Error('The computation did not complete.');
  return result.value;
}
