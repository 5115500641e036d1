import fc from 'fast-check';

/** How often the fuzz tests try, times what is usual: for a long run by hand, each with other values (see seed.ts). */
const TIMES = Number(process.env['FUZZ_RUNS'] ?? 1);
if (!(TIMES > 0)) throw new Error('FUZZ_RUNS must be a number above 0');

export function runs(usual: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(usual * TIMES) };
}

/** Of a server that is asked by one viewer as often as a fuzz test can. */
export const NO_RATES = { maxRequestsPerSecond: 1_000_000, maxMessagesPerSecond: 1_000_000 };

/** Values that programs trip over, and any other JSON. */
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

/** The value with some of its parts deleted, doubled or replaced. */
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

/** Text, bytes, and what is neither. */
export const garbage: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
  fc
    .constantFrom('', 'null', '[]', '{}', '{', '"', '\ufeff{}', '['.repeat(50_000), '{"a":'.repeat(50_000))
    .map((text) => Buffer.from(text)),
);

/** The text with bytes cut out, doubled, changed or put in. */
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
      changes.reduce((so, { at, without, instead }) => so.slice(0, at) + instead + so.slice(at + without), text),
    );
}

/** The value with one of its parts, however deep, deleted or replaced. */
function spoiltOnce(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) return hostileValue;
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  if (entries.length === 0) return hostileValue;
  const parts = fc.constantFrom(...entries).chain(([key, part]) => {
    const others = entries.filter(([name]) => name !== key);
    return fc
      .oneof({ weight: 5, arbitrary: spoiltOnce(part).map((one) => [[key, one] as const]) }, fc.constant([]))
      .map((instead) => [...others, ...instead]);
  });
  const made = parts.map((all): unknown =>
    Array.isArray(value) ? all.map(([, part]) => part) : Object.fromEntries(all),
  );
  return fc.oneof({ weight: 9, arbitrary: made }, hostileValue);
}

/** JSON that was once valid, changed as a value or as a text. */
export function mutatedJson(value: unknown): fc.Arbitrary<string> {
  return fc.oneof(
    fc.oneof(spoiltOnce(value), mutationOf(value)).map((one) => JSON.stringify(one)),
    mutatedText(JSON.stringify(value)),
  );
}
