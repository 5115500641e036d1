import { z } from 'zod';

export { didYouMean } from '../shared/index.js';

/** Where a piece of the configuration stands, and what is known of it. */
export interface IssueLocation {
  readonly path: readonly PropertyKey[];
  /** As it stands in the file: what the environment filled in may be a secret. */
  readonly input: unknown;
  /** Keys of which a mistake has been reported already. */
  readonly reported: ReadonlySet<string>;
  /** What to add to an unknown key. */
  readonly hintFor: (key: string) => string;
}

/** One line for each mistake: the key, what is there, what is expected. */
export function formatIssues(error: z.ZodError, { path, input, reported, hintFor }: IssueLocation): string[] {
  return error.issues.flatMap((issue) => {
    const at = [...path, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const value = formatValue(valueAt(input, [...issue.path, key]), [...at, key]);
        return `${formatKey([...at, key])}: ${value} – there is no such option${hintFor(key)}`;
      });
    }
    if (reported.has(formatKey(at))) return [];
    return [`${formatKey(at)}: ${formatValue(valueAt(input, issue.path), at)} – ${issue.message}`];
  });
}

/** What a schema that says nothing of its own expected. */
export function expectedMessage(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') return `expected ${KINDS[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String).join(', ');
    return issue.values.length === 1 ? `expected ${values}` : `expected one of ${values}`;
  }
  if (issue.code === 'too_small' && issue.origin === 'string') return 'expected text that is not empty';
  return 'expected another value';
}

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'text',
};

export function formatKey(path: readonly PropertyKey[]): string {
  const words = path.map((key) =>
    /^[\p{L}\p{N}_$-]+$/u.test(String(key)) ? String(key) : JSON.stringify(String(key)),
  );
  return words.join('.') || '(the file)';
}

/** The value for a person to recognise; what may be a secret is not shown. */
export function formatValue(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return 'is missing';
  // A server may be called "auth".
  const own = path[0] === 'mcpServers' ? path.slice(2) : path;
  if (own.some((key) => SECRET_KEYS.has(String(key)) || SECRET_WORDS.test(String(key)))) return 'is ***';
  if (Array.isArray(value)) return 'is a list';
  if (typeof value === 'object' && value !== null) return 'is an object';
  if (typeof value !== 'string') return `is ${JSON.stringify(value)}`;
  if (SECRET_WORDS.test(value.replace(/\$\{\w+\}/g, ''))) return 'is ***';
  // Greedy: a password may itself hold an @ or a slash.
  const plain = value.replace(/:\/\/.*@/s, '://***@').replace(/(:\/\/[^?#]*)[?#].*$/s, '$1?***');
  return `is ${JSON.stringify(plain.length > MAX_SHOWN ? `${plain.slice(0, MAX_SHOWN)}…` : plain)}`;
}

/** Characters of a value. */
const MAX_SHOWN = 100;
const SECRET_KEYS: ReadonlySet<string> = new Set(['env', 'headers', 'auth']);
const SECRET_WORDS = /token|secret|passw|credential|authori[sz]ation|bearer|cookie|api[-_]?key/i;

export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}

export function wholeNumberSchema(min: number, max: number, what = 'a whole number'): z.ZodNumber {
  const error = `expected ${what} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}
