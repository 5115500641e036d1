import fc from 'fast-check';

/** Seed of all property tests. With a fixed seed, a property test fails either always or never. */
export const SEED = 20_261_127;

/** Factor for the number of fuzz runs. With `FUZZ_RUNS`, each run also uses another seed (see seed.ts). */
const RUN_FACTOR = Number(process.env['FUZZ_RUNS'] ?? 1);
if (!(RUN_FACTOR > 0)) throw new Error('FUZZ_RUNS must be a number above 0');

export function runs(defaultRuns: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(defaultRuns * RUN_FACTOR) };
}

/** Rate limits that one viewer in a fuzz test never reaches. */
export const NO_RATES = { maxRequestsPerSecond: 1_000_000, maxMessagesPerSecond: 1_000_000 };

/** Values that programs often mishandle, and any other JSON. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    ' ',
    '__proto__',
    '\u0000',
    '\ud800',
    -1,
    1.5,
    87,
    -0,
    1e308,
    1e13,
    'x'.repeat(300),
  ),
  fc.constantFrom<unknown>(
    [],
    {},
    [[]],
    [null],
    { id: 'a' },
    { agentId: 'coder-1' },
    true,
    'idle',
    'agent-1795447692893',
  ),
  fc.jsonValue(),
);

/** Returns copies of the value with parts deleted, duplicated or replaced. */
export function mutationOf(value: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(value)) {
    return fc.tuple(...value.map((element) => partOf(element))).map((parts) => parts.flatMap((part) => part));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, part]) =>
      partOf(part).map((parts) => parts.map((one) => [key, one] as const)),
    );
    return fc.tuple(...entries).map((parts) => Object.fromEntries(parts.flat()));
  }
  return fc.constant(value);
}

function partOf(value: unknown): fc.Arbitrary<unknown[]> {
  const mutated = mutationOf(value);
  return fc.oneof(
    { weight: 20, arbitrary: mutated.map((one) => [one]) },
    { weight: 1, arbitrary: fc.constant<unknown[]>([]) },
    { weight: 1, arbitrary: mutated.map((one) => [one, one]) },
    { weight: 2, arbitrary: hostileValue.map((one) => [one]) },
  );
}

/** Bytes, text and incomplete JSON. */
export const garbage: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
  fc
    .constantFrom('', 'null', '[]', '{}', '{', '"', '\ufeff{}', '['.repeat(50_000), '{"a":'.repeat(50_000))
    .map((text) => Buffer.from(text)),
);

/** Returns copies of the text with characters deleted, replaced or inserted. */
export function mutatedText(text: string): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat(text.length),
    without: fc.oneof(fc.nat(4), fc.nat(text.length)),
    instead: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom('', '"', '\\', '{', '}', '\u0000', '__proto__', '-1', '1e999', '\ud800'),
    ),
  });
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) =>
      changes.reduce(
        (result, { at, without, instead }) => result.slice(0, at) + instead + result.slice(at + without),
        text,
      ),
    );
}

/** Returns copies of the value with one part, at any depth, deleted or replaced. */
function mutatedOnce(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) return hostileValue;
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  if (entries.length === 0) return hostileValue;
  const parts = fc.constantFrom(...entries).chain(([key, part]) => {
    const others = entries.filter(([name]) => name !== key);
    return fc
      .oneof({ weight: 5, arbitrary: mutatedOnce(part).map((one) => [[key, one] as const]) }, fc.constant([]))
      .map((instead) => [...others, ...instead]);
  });
  const made = parts.map((all): unknown =>
    Array.isArray(value) ? all.map(([, part]) => part) : Object.fromEntries(all),
  );
  return fc.oneof({ weight: 9, arbitrary: made }, hostileValue);
}

/** Returns valid JSON that was changed as a value or as text. */
export function mutatedJson(value: unknown): fc.Arbitrary<string> {
  return fc.oneof(
    fc.oneof(mutatedOnce(value), mutationOf(value)).map((one) => JSON.stringify(one)),
    mutatedText(JSON.stringify(value)),
  );
}
