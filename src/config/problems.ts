import type { z } from 'zod';

/** One line for each mistake: the key, what is there, what is expected. */
export function problemsOf(error: z.ZodError, path: readonly PropertyKey[], input: unknown): string[] {
  return error.issues.flatMap((issue) => {
    const at = [...path, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `${keyOf([...at, key])}: there is no such option${hint(key, KNOWN)}`);
    }
    const value = valueAt(input, issue.path);
    return [`${keyOf(at)}: ${show(value, at)} – ${issue.message}`];
  });
}

export function keyOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.') || '(the file)';
}

/** The value for a person to recognise; what may be a secret is not shown. */
export function show(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return 'is missing';
  if (path.some((key) => SECRET_KEYS.has(String(key)))) return '***';
  const text = JSON.stringify(value);
  const plain = text.replace(/(https?:\/\/)[^/@\s"]*@/g, '$1***@');
  return `is ${plain.length > 100 ? `${plain.slice(0, 100)}…` : plain}`;
}

const SECRET_KEYS: ReadonlySet<string> = new Set(['env', 'headers', 'auth']);

/** Options that somebody may have meant. */
const KNOWN = [
  'serverType',
  'maxPollHz',
  'allowTools',
  'timeoutMs',
  'connectTimeoutMs',
  'port',
  'host',
  'bus',
  'logLevel',
  'auth',
  'limits',
  'heartbeatMs',
  'tombstones',
  'shutdownMs',
];

/** `, did you mean "x"?` when one of the words is near. */
export function hint(word: string, words: readonly string[]): string {
  const near = words
    .map((known) => ({ known, distance: distance(word.toLowerCase(), known.toLowerCase()) }))
    .filter((one) => one.distance <= 2)
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : `, did you mean "${near.known}"?`;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}
