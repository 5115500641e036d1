import { keyOf } from './problems.js';

/**
 * A copy of `value` with each `${NAME}` and `${NAME:-default}` in its strings filled in from the environment. Names
 * that are not set are mistakes, because an empty password is a worse surprise than a program that does not start.
 */
export function fillIn(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
  path: readonly PropertyKey[] = [],
): unknown {
  if (typeof value === 'string') return fillInString(value, env, problems, path);
  if (Array.isArray(value)) return value.map((one, index) => fillIn(one, env, problems, [...path, index]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, fillIn(one, env, problems, [...path, key])]),
  );
}

function fillInString(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
  path: readonly PropertyKey[],
): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g, (match, name: string, preset?: string) => {
    const value = env[name] ?? preset;
    if (value === undefined) {
      problems.push(`${keyOf(path)}: the environment has no variable ${name} – set it, or write \${${name}:-default}`);
    }
    return value ?? match;
  });
}
