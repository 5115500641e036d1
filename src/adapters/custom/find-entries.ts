import { isObject } from '../responses/is-object.js';
import { UnusableResponseError } from '../responses/parse-response.js';
import type { ListSource, ValuePath } from '../server-mapping.js';
import { type Entry, valueAtPath } from './resolve-field.js';
import { compilePattern, MAX_TEXT_LENGTH } from '../../shared/patterns/index.js';

const EXPECTED = { list: 'a list', map: 'an object of entries', one: 'an entry', pattern: 'a text' } as const;

/** Receiver of the parts of an answer that are left out, by their paths. */
export type OmissionHandler = (path: string, reason: string) => void;

/**
 * Finds the entries of a source in an answer. Yields null after steps without an entry.
 * @throws UnusableResponseError if the mapping does not match the answer
 */
export function* findEntries(
  source: ListSource,
  answer: unknown,
  onOmission: OmissionHandler,
): Generator<Entry | null> {
  const { shape, path } = source;
  const root: Entry = { key: null, value: answer, parent: null };
  if (path.keys.includes(null)) yield* findNested(source, answer, onOmission);
  else {
    const value = shape === 'list' ? listAtPath(answer, path) : valueAtPath(answer, path);
    const entries = entriesOf(source, value, root, onOmission);
    if (entries === null) throw misfitError(source, answer, value, path.text);
    yield* entries;
  }
}

/** Finds the entries at a path with `*`. Parts in which the rest of the path is missing have no entries. */
function* findNested(source: ListSource, answer: unknown, onOmission: OmissionHandler): Generator<Entry | null> {
  const { path, place, shape } = source;
  let fits = 0;
  let misfit: { readonly path: string; readonly value: unknown } | null = null;
  const visit = function* (entry: Entry, value: unknown, index: number): Generator<Entry | null> {
    const wildcard = path.keys.indexOf(null, index);
    const keys = path.keys.slice(index, wildcard === -1 ? undefined : wildcard);
    const found = valueAtPath(value, { keys });
    const at = textOf(path.keys.slice(0, wildcard === -1 ? undefined : wildcard));
    if (wildcard === -1) {
      const entries = entriesOf(source, found, entry, onOmission);
      if (entries === null) {
        misfit ??= { path: at, value: found };
        if (found !== undefined) onOmission(at, `Expected ${EXPECTED[shape]}`);
        return;
      }
      fits += 1;
      yield* entries;
      return;
    }
    if (found === null && keys.length > 0) {
      fits += 1;
      return;
    }
    if (typeof found !== 'object' || found === null) {
      misfit ??= { path: at, value: found };
      if (found !== undefined) onOmission(at, 'Expected a list or an object');
      return;
    }
    const isList = Array.isArray(found);
    const items: readonly (readonly [string, unknown])[] = Object.entries(found);
    // An empty list is complete.
    if (items.length === 0) fits += 1;
    for (const [key, item] of items) {
      yield null;
      yield* visit({ key: isList ? null : key, value: item, parent: entry }, item, wildcard + 1);
    }
  };
  for (const part of rootsOf(answer, path)) {
    const root: Entry = { key: null, value: part, parent: null };
    yield* visit(root, part, 0);
  }
  // The loop above changes it.
  const first = misfit as { readonly path: string; readonly value: unknown } | null;
  if (fits > 0) return;
  if (typeof answer === 'string') throw textError(source);
  if (first === null) throw misfitError(source, answer, undefined, path.text);
  throw new UnusableResponseError(
    `"${first.path}" of the response ${describeProblem(first.value)}, expected ${first.path === path.text ? EXPECTED[shape] : 'a list or an object'} (${place}.${shape})`,
  );
}

/** Returns the parts of an answer in several blocks that contain the begin of a path, or the answer itself. */
function rootsOf(answer: unknown, { keys }: ValuePath): readonly unknown[] {
  const [first] = keys;
  if (!Array.isArray(answer) || typeof first !== 'string' || Object.hasOwn(answer, first)) return [answer];
  // `isArray` narrows to a list of any.
  const parts = (answer as readonly unknown[]).filter((part) => isObject(part) && Object.hasOwn(part, first));
  return parts.length === 0 ? [answer] : parts;
}

function textOf(keys: ValuePath['keys']): string {
  return keys.map((key) => key ?? '*').join('.');
}

/** Returns the entries in a value of the shape of the source. Null if it has another type. */
function entriesOf(
  source: ListSource,
  value: unknown,
  parent: Entry,
  onOmission: OmissionHandler,
): Iterable<Entry | null> | null {
  const { shape, path } = source;
  // Go serializes an empty list as null.
  if (value === null && path.keys.length > 0) return [];
  switch (shape) {
    case 'list':
      return Array.isArray(value) ? mapItems(value, (item) => ({ key: null, value: item, parent })) : null;
    case 'map':
      return isObject(value) ? mapItems(Object.entries(value), ([key, item]) => ({ key, value: item, parent })) : null;
    case 'one':
      return isPresent(value) ? [{ key: null, value, parent }] : null;
    case 'pattern':
      return typeof value === 'string' ? findMatches(source, value, parent, onOmission) : null;
  }
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function* mapItems<T>(items: Iterable<T>, toEntry: (item: T) => Entry): Generator<Entry> {
  for (const item of items) yield toEntry(item);
}

/** @throws UnusableResponseError if a text that is not blank contains no match */
function* findMatches(
  { path, pattern, place }: ListSource,
  text: string,
  parent: Entry,
  onOmission: OmissionHandler,
): Generator<Entry | null> {
  const searched = text.slice(0, MAX_TEXT_LENGTH);
  if (searched.length < text.length) onOmission(path.text, `Only the first ${MAX_TEXT_LENGTH} characters are read`);
  let count = 0;
  for (const groups of compilePattern(pattern ?? '').findAll(searched)) {
    if (groups !== null) count += 1;
    yield groups === null ? null : { key: null, value: groups, parent };
  }
  if (count === 0 && searched.trim() !== '')
    throw new UnusableResponseError(`The pattern matches nothing in the text (${place}.pattern)`);
}

/**
 * Returns the list at a path, or another value if there is no list. The parts of a response in several blocks are combined. A
 * response that is a list itself has one block per entry, and therefore is the entry if there is only one.
 */
function listAtPath(response: unknown, path: ValuePath): unknown {
  const value = valueAtPath(response, path);
  if (path.keys.length === 0) return isObject(value) ? unwrapList(value) : value;
  if (value !== undefined || !Array.isArray(response)) return value;
  const lists = response.map((part: unknown) => valueAtPath(part, path));
  if (!lists.some(Array.isArray)) return value;
  // A text is a part that could not be read, and is rejected as an entry.
  return lists.flatMap((list, index): readonly unknown[] => {
    if (Array.isArray(list)) return list; // narrows to a list of any
    return typeof response[index] === 'string' ? [response[index]] : [];
  });
}

/** Returns the list in the `result` of structured content, which must be an object, or else the object as the only entry. */
function unwrapList(value: Readonly<Record<string, unknown>>): unknown {
  const { result, ...rest } = value;
  return Array.isArray(result) && Object.keys(rest).length === 0 ? result : [value];
}

function misfitError(source: ListSource, answer: unknown, value: unknown, text: string): UnusableResponseError {
  const { shape, place, path } = source;
  if (typeof answer === 'string' && path.keys.length > 0) return textError(source);
  const label = text === '' ? 'The response' : `"${text}" of the response`;
  return new UnusableResponseError(
    `${label} ${describeProblem(value)}, expected ${EXPECTED[shape]} (${place}.${shape})`,
  );
}

function textError({ shape, place }: ListSource): UnusableResponseError {
  return new UnusableResponseError(
    `The response is text instead of JSON, expected ${EXPECTED[shape]} (${place}.${shape})`,
  );
}

function describeProblem(value: unknown): string {
  return value === undefined ? 'is missing' : `is ${describeType(value)}`;
}

function describeType(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
