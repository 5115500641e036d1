import { formatKey } from './issues.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Deeper than any option. */
const MAX_DEPTH = 16;

/**
 * A copy of `value` with each `${NAME}` and `${NAME:-default}` in its strings filled in from the environment. Names
 * that are not set are mistakes, because an empty password is a worse surprise than a program that does not start.
 * @param problems gets the mistakes: the line under the key
 */
export function expandVariables(
  value: unknown,
  path: readonly PropertyKey[],
  env: Environment,
  problems: Map<string, string>,
): unknown {
  if (typeof value === 'string') return fillInString(value, path, env, problems);
  if (typeof value !== 'object' || value === null) return value;
  if (path.length > MAX_DEPTH) {
    const key = formatKey(path.slice(0, 3));
    problems.set(key, `${key}: is nested too deeply – expected at most ${MAX_DEPTH} levels`);
    return null;
  }
  if (Array.isArray(value)) return value.map((one, index) => expandVariables(one, [...path, index], env, problems));
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, expandVariables(one, [...path, key], env, problems)]),
  );
}

function fillInString(
  text: string,
  path: readonly PropertyKey[],
  env: Environment,
  problems: Map<string, string>,
): string {
  const unset = new Set<string>();
  const filled = text.replace(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
    (match, name: string, preset?: string) => {
      // `process.env` inherits: without the look, ${constructor} would be a function's text.
      const value = (Object.hasOwn(env, name) ? env[name] : undefined) ?? preset;
      if (value === undefined) unset.add(name);
      return value ?? match;
    },
  );
  if (unset.size > 0) {
    const names = [...unset];
    const what = names.length === 1 ? 'variable' : 'variables';
    problems.set(
      formatKey(path),
      `${formatKey(path)}: the environment has no ${what} ${names.join(', ')} – set it, or write \${${names[0] ?? ''}:-default}`,
    );
  }
  return filled;
}
