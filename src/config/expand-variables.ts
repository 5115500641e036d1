import { homedir } from 'node:os';
import { basename, sep } from 'node:path';
import { formatKey } from './issues.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Source of the values of variables. */
export interface VariableScope {
  readonly env: Environment;
  /** Variables that the entry itself defines. They override the environment. */
  readonly entryEnv?: Environment;
  /** Project directory of the file, which stands for `${workspaceFolder}`. */
  readonly directory: string;
}

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
 * Returns a copy of `value` in which each variable is replaced: `${NAME}`, `${NAME:-default}`, `${env:NAME}`, `{env:NAME}`,
 * `$NAME` and the variables of editors. A variable without a value is a mistake, because an empty password, or the text
 * `${NAME}` as a password, would be worse than a server that does not start.
 */
export function expandVariables(
  value: unknown,
  path: readonly PropertyKey[],
  scope: VariableScope,
  expansion: Expansion,
): unknown {
  if (typeof value === 'string') return expandText(value, path, scope, expansion);
  if (typeof value !== 'object' || value === null) return value;
  if (path.length > MAX_DEPTH) {
    const key = formatKey(path.slice(0, 3));
    expansion.problems.set(key, `${key}: is nested too deeply – expected at most ${MAX_DEPTH} levels`);
    return null;
  }
  if (Array.isArray(value))
    return value.map((item, index) => expandVariables(item, [...path, index], scope, expansion));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, expandVariables(item, [...path, key], scope, expansion)]),
  );
}

const PLACEHOLDER = /\$\{([^{}]{1,500})\}|\{(env|file):([^{}]{1,500})\}|\$([A-Za-z_]\w{0,200})/g;
const NAME = /^(?:env:)?([A-Za-z_]\w*)(?::-(.*))?$/s;

/** Keys whose texts a shell may expand itself, so that unknown placeholders are left as they are. */
const SHELL_KEYS: ReadonlySet<PropertyKey> = new Set(['command', 'args']);

function expandText(
  text: string,
  path: readonly PropertyKey[],
  scope: VariableScope,
  { problems, variables }: Expansion,
): string {
  const unset = new Set<string>();
  const unsupported = new Set<string>();
  const isShell = path.slice(2).some((key) => SHELL_KEYS.has(key));
  const expanded = text.replace(
    PLACEHOLDER,
    (match: string, inBraces?: string, kind?: string, operand?: string, bare?: string) => {
      if (bare !== undefined) {
        const value = lookUp(bare, scope);
        if (value !== undefined) variables.set(bare, value);
        // A lower-case word after a dollar sign may be part of a password.
        else if (!isShell && /^[A-Z_][A-Z0-9_]*$/.test(bare)) unset.add(bare);
        return value ?? match;
      }
      const parsed = NAME.exec(kind === 'env' ? `env:${operand ?? ''}` : (inBraces ?? ''));
      if (parsed === null) {
        const editorValue = inBraces === undefined ? undefined : editorVariable(inBraces, scope);
        const isLiteral = isShell && inBraces !== undefined && !/^[a-z]+:/i.test(inBraces);
        if (editorValue === undefined && !isLiteral) unsupported.add(match);
        return editorValue ?? match;
      }
      const [whole, name = '', fallback] = parsed;
      // `${env:NAME}` is the environment of the editor, also in an entry that sets the variable.
      const own = whole.startsWith('env:') ? lookUp(name, { ...scope, entryEnv: {} }) : undefined;
      const value = own ?? lookUp(name, scope) ?? editorVariable(name, scope) ?? fallback;
      if (value === undefined) unset.add(name);
      else variables.set(name, value);
      return value ?? match;
    },
  );
  if (unset.size > 0 || unsupported.size > 0)
    problems.set(formatKey(path), `${formatKey(path)}: ${describe([...unset], [...unsupported])}`);
  return expanded;
}

function describe(unset: readonly string[], unsupported: readonly string[]): string {
  const [first] = unset;
  if (first === undefined) {
    const placeholder = unsupported[0] ?? '';
    return `${placeholder} cannot be filled in here – set an environment variable and write \${NAME}`;
  }
  const subject = unset.length === 1 ? `variable ${first} is` : `variables ${unset.join(', ')} are`;
  return `environment ${subject} not set – set a value, or write \${${first}:-default}`;
}

function lookUp(name: string, { entryEnv = {}, env }: VariableScope): string | undefined {
  // `process.env` inherits from Object.prototype, which has a property `constructor`.
  if (Object.hasOwn(entryEnv, name)) return entryEnv[name];
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

/** Returns the value of a variable that editors define. */
function editorVariable(name: string, { env, directory }: VariableScope): string | undefined {
  switch (name) {
    case 'workspaceFolder':
    case 'workspaceRoot':
    case 'cwd':
    case 'CLAUDE_PROJECT_DIR':
      return directory;
    case 'workspaceFolderBasename':
      return basename(directory);
    case 'userHome':
      return env['HOME'] ?? env['USERPROFILE'] ?? homedir();
    case 'pathSeparator':
    case '/':
      return sep;
    default:
      return undefined;
  }
}
