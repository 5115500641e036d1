import { z } from 'zod';
import { LIST_KEYS } from '../client-files/index.js';
import { isSecretName } from '../shared/sanitize/index.js';

export { didYouMean } from '../shared/index.js';

/** Location of a part of the configuration. */
export interface IssueLocation {
  readonly path: readonly PropertyKey[];
  /** Value as written in the file. Expanded variables are not included, because they may be secrets. */
  readonly input: unknown;
  /** Keys with a mistake that has already been reported. */
  readonly reported: ReadonlySet<string>;
  /** Key in the file of each field that has another name there. */
  readonly sourceKeys?: ReadonlyMap<string, string>;
  /** Returns the hint for an unknown key. */
  readonly hintFor: (key: string) => string;
}

/** Formats each mistake as one line with the key, the value and the expected value. */
export function formatIssues(
  issues: readonly z.core.$ZodIssue[],
  { path, input, reported, sourceKeys, hintFor }: IssueLocation,
): string[] {
  return issues.flatMap((issue) => {
    const [field, ...rest] = issue.path;
    const fullPath = field === undefined ? path : [...path, sourceKeys?.get(String(field)) ?? field, ...rest];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const value = formatValue(valueAt(input, [...issue.path, key]), [...fullPath, key]);
        return `${formatKey([...fullPath, key])}: ${value} – unknown option${hintFor(key)}`;
      });
    }
    if (reported.has(formatKey(fullPath))) return [];
    return [`${formatKey(fullPath)}: ${formatValue(valueAt(input, issue.path), fullPath)} – ${issue.message}`];
  });
}

/** Returns the message for an issue of a schema without a message of its own. */
export function expectedMessage(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') return `expected ${TYPE_LABELS[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String).join(', ');
    return issue.values.length === 1 ? `expected ${values}` : `expected one of ${values}`;
  }
  if (issue.code === 'too_small' && issue.origin === 'string') return 'expected text that is not empty';
  return 'expected another value';
}

const TYPE_LABELS: Readonly<Record<string, string>> = {
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

/** Formats a value for an error message, without anything that may be a secret. */
export function formatValue(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return 'is missing';
  // A server may have the id "auth".
  const isNested = path[0] === 'mcp' && path[1] === 'servers';
  const keys = LIST_KEYS.includes(String(path[0])) ? path.slice(isNested ? 3 : 2) : path;
  if (keys.some((key) => SECRET_KEYS.has(String(key)) || SECRET_WORDS.test(String(key)) || isSecretName(String(key))))
    return 'is ***';
  if (Array.isArray(value)) return 'is a list';
  if (typeof value === 'object' && value !== null) return 'is an object';
  if (typeof value !== 'string') return `is ${JSON.stringify(value)}`;
  if (SECRET_WORDS.test(value.replace(/\$\{\w+\}/g, ''))) return 'is ***';
  // Only a mistake: the value may be a secret that was read in a wrong encoding.
  if (value.includes('\0')) return 'is ***';
  const redacted = withoutQuery(withoutCredentials(value));
  return `is ${JSON.stringify(redacted.length > MAX_VALUE_LENGTH ? `${redacted.slice(0, MAX_VALUE_LENGTH)}…` : redacted)}`;
}

/** Removes the query and the fragment of a URL. */
function withoutQuery(text: string): string {
  const scheme = text.indexOf('://');
  if (scheme < 0) return text;
  const length = text.slice(scheme).search(/[?#]/);
  return length < 0 ? text : `${text.slice(0, scheme + length)}?***`;
}

/** Removes the credentials of a URL, also without a scheme, up to the last @, because a password may contain one. */
function withoutCredentials(text: string): string {
  const at = text.lastIndexOf('@');
  const slashes = text.slice(0, Math.max(0, at)).indexOf('://');
  if (slashes >= 0) return `${text.slice(0, slashes)}://***${text.slice(at)}`;
  return text.slice(0, Math.max(0, at)).includes(':') ? `***${text.slice(at)}` : text;
}

/** Maximum number of characters of a value in an error message. */
const MAX_VALUE_LENGTH = 100;
const SECRET_KEYS: ReadonlySet<string> = new Set([
  'env',
  'environment',
  'envs',
  'headers',
  'httpHeaders',
  'http_headers',
  'auth',
  'busKeys',
]);
const SECRET_WORDS = /token|secret|passw|credential|authori[sz]ation|bearer|cookie|api[-_]?key/i;

/** Returns the value at a path of own properties. Undefined if there is none. */
export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}

/** Creates the schema of an integer from `min` to `max`. */
export function wholeNumberSchema(min: number, max: number, label = 'a whole number'): z.ZodNumber {
  const error = `expected ${label} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** Returns whether reading failed because the file does not exist. */
export function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
