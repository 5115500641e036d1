import { formatKey } from './issues.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Receives what the expansion finds. */
export interface Expansion {
  /** Mistakes by key, one line each. */
  readonly problems: Map<string, string>;
  /** Values that replaced variables, by name. */
  readonly variables: Map<string, string>;
}

/** Maximum nesting of a value, deeper than any option. */
const MAX_DEPTH = 16;

/**
 * Returns a copy of `value` in which each `${NAME}` and `${NAME:-default}` is replaced from the environment. A variable
 * that is not set is a mistake, because an empty password would be worse than a failed start.
 */
export function expandVariables(
  value: unknown,
  path: readonly PropertyKey[],
  env: Environment,
  expansion: Expansion,
): unknown {
  if (typeof value === 'string') return expandText(value, path, env, expansion);
  if (typeof value !== 'object' || value === null) return value;
  if (path.length > MAX_DEPTH) {
    const key = formatKey(path.slice(0, 3));
    expansion.problems.set(key, `${key}: is nested too deeply – expected at most ${MAX_DEPTH} levels`);
    return null;
  }
  if (Array.isArray(value)) return value.map((item, index) => expandVariables(item, [...path, index], env, expansion));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, expandVariables(item, [...path, key], env, expansion)]),
  );
}

function expandText(
  text: string,
  path: readonly PropertyKey[],
  env: Environment,
  { problems, variables }: Expansion,
): string {
  const unset = new Set<string>();
  const expanded = text.replace(
    // A missing brace is matched too, which keeps the pattern linear.
    /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?(\}?)/g,
    (match, name: string, fallback: string | undefined, brace: string) => {
      if (brace === '') return match;
      // `process.env` inherits from Object.prototype, which has a property `constructor`.
      const value = (Object.hasOwn(env, name) ? env[name] : undefined) ?? fallback;
      if (value === undefined) unset.add(name);
      else variables.set(name, value);
      return value ?? match;
    },
  );
  if (unset.size > 0) {
    const names = [...unset];
    const subject = names.length === 1 ? `variable ${names[0] ?? ''} is` : `variables ${names.join(', ')} are`;
    problems.set(
      formatKey(path),
      `${formatKey(path)}: environment ${subject} not set – set a value, or write \${${names[0] ?? ''}:-default}`,
    );
  }
  return expanded;
}
