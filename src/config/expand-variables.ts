import { homedir } from 'node:os';
import { basename, sep } from 'node:path';
import { formatKey } from './issues.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Source of the values of variables. */
export interface VariableScope {
  readonly env: Environment;
  /** Values of the variables that the entry itself defines. They override the environment. */
  readonly entryEnv?: Environment;
  /** Further variables of the entry, as texts in which variables are replaced. They override `entryEnv`. */
  readonly entryTexts?: Environment;
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
/** Maximum nesting of variables: in a default, or in variables of an entry that contain others. */
const MAX_NESTING = 16;
/** Maximum length of an expanded text, that of an argument on Linux. Variables that contain others could exceed any memory. */
const MAX_LENGTH = 131_072;
/** Maximum length of a placeholder that a message quotes. */
const MAX_QUOTED_LENGTH = 60;

/**
 * Returns a copy of `value` in which each variable is replaced: `${NAME}`, `${NAME:-default}`, `${env:NAME}`, `{env:NAME}`,
 * `$NAME` and the variables of editors. `$${` stands for `${`. A variable without a value is a mistake, because an empty
 * password, or the text `${NAME}` as a password, would be worse than a server that does not start.
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

/**
 * Expands the variables that an entry defines. Each may contain the others. In its own text, its name stands for the
 * variable of the environment.
 */
export function expandEntryEnv(
  entryEnv: unknown,
  path: readonly PropertyKey[],
  scope: VariableScope,
  expansion: Expansion,
): unknown {
  if (typeof entryEnv !== 'object' || entryEnv === null || Array.isArray(entryEnv))
    return expandVariables(entryEnv, path, scope, expansion);
  const pairs = Object.entries(entryEnv).map(([name, value]: [string, unknown]) => [name, value] as const);
  const texts: Environment = Object.fromEntries(
    pairs.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
  return Object.fromEntries(
    pairs.map(([name, value]) => [
      name,
      expandVariables(value, [...path, name], { ...scope, entryTexts: without(texts, name) }, expansion),
    ]),
  );
}

function expandText(text: string, path: readonly PropertyKey[], scope: VariableScope, expansion: Expansion): string {
  const expander = new TextExpander(
    scope,
    path.slice(2).some((key) => SHELL_KEYS.has(key)),
    isInMapping(path),
    expansion.variables,
  );
  const expanded = expander.expand(text);
  const problem = expander.problem();
  if (problem !== null) expansion.problems.set(formatKey(path), `${formatKey(path)}: ${problem}`);
  return problem === null ? expanded : text;
}

/** Returns whether a text belongs to a mapping, where a word after a dollar sign, such as `$parent`, is part of a path. */
function isInMapping(path: readonly PropertyKey[]): boolean {
  return path.slice(2).includes('mapping') || (path[0] === 'swarmlens' && path[1] === 'tapMappings');
}

/** Start of a placeholder, or an escaped one. */
const START = /\$\$\{|\$\{|\{(?:env|file):|\$\$?([A-Za-z_]\w{0,200})/g;
const NAME = /^(env:)?([A-Za-z_]\w*)(?::?-(.*))?$/s;

/** Keys whose texts a shell may expand itself, so that unknown placeholders are left as they are. */
const SHELL_KEYS: ReadonlySet<PropertyKey> = new Set(['command', 'args']);

/** Replaces the variables of one text. */
class TextExpander {
  readonly #scope: VariableScope;
  readonly #isShell: boolean;
  readonly #isMapping: boolean;
  readonly #variables: Map<string, string>;
  readonly #unset = new Set<string>();
  readonly #unsupported = new Set<string>();
  /** Values of the variables of the entry that have been expanded, by name. */
  readonly #expanded = new Map<string, string>();
  #isUnclosed = false;
  #remainingLength = MAX_LENGTH;

  constructor(scope: VariableScope, isShell: boolean, isMapping: boolean, variables: Map<string, string>) {
    this.#scope = scope;
    this.#isShell = isShell;
    this.#isMapping = isMapping;
    this.#variables = variables;
  }

  /** Returns the reason why the text cannot be used. Null if it can. */
  problem(): string | null {
    if (this.#remainingLength < 0) return `is longer than ${MAX_LENGTH} characters with its variables`;
    if (this.#isUnclosed) return 'a variable has no closing brace – add it, or write $${ for the text ${';
    const [first, ...others] = this.#unset;
    if (first !== undefined) {
      const subject = others.length === 0 ? `variable ${first} is` : `variables ${[first, ...others].join(', ')} are`;
      return `environment ${subject} not set – set a value, or write \${${first}:-default}`;
    }
    const [placeholder] = this.#unsupported;
    if (placeholder === undefined) return null;
    return `${placeholder} cannot be filled in here – set an environment variable and write \${NAME}`;
  }

  /** @param entryTexts variables of the entry that the text may contain */
  expand(text: string, entryTexts = this.#scope.entryTexts ?? {}, nesting = 0): string {
    if (nesting > MAX_NESTING) {
      this.#unsupported.add(quote(text));
      return text;
    }
    const closingBraces = matchBraces(text);
    const parts: string[] = [];
    let end = 0;
    for (const match of text.matchAll(START)) {
      const [start, bare] = match;
      if (match.index < end || this.#remainingLength < 0) continue;
      parts.push(text.slice(end, match.index));
      end = match.index + start.length;
      if (bare !== undefined) {
        parts.push(this.#expandBare(start, bare, entryTexts, nesting));
        continue;
      }
      const closing = closingBraces.get(match.index + start.indexOf('{'));
      if (closing === undefined) {
        if (start === '${' && !this.#isShell) this.#isUnclosed = true;
        parts.push(start);
        continue;
      }
      end = closing + 1;
      const whole = text.slice(match.index, end);
      parts.push(start === '$${' ? whole.slice(1) : this.#expandPlaceholder(whole, entryTexts, nesting));
    }
    parts.push(text.slice(end));
    const expanded = parts.join('');
    this.#remainingLength -= expanded.length;
    return expanded;
  }

  #expandBare(whole: string, name: string, entryTexts: Environment, nesting: number): string {
    // Two dollar signs are part of a password, or the process id of a shell.
    if (whole.startsWith('$$') || (this.#isMapping && /^[a-z]/.test(name))) return whole;
    const value = this.#lookUp(name, entryTexts, nesting);
    // A lower-case word after a dollar sign may be part of a password.
    if (value === undefined && !this.#isShell && /^[A-Z_][A-Z0-9_]*$/.test(name)) this.#unset.add(name);
    return value ?? whole;
  }

  /** @param whole `${…}`, `{env:…}` or `{file:…}` */
  #expandPlaceholder(whole: string, entryTexts: Environment, nesting: number): string {
    const isDollar = whole.startsWith('$');
    const operand = whole.slice(isDollar ? 2 : 1, -1);
    const [, editor, name, fallback] = NAME.exec(operand) ?? [];
    if (name === undefined) {
      const value = isDollar ? editorVariable(operand, this.#scope) : undefined;
      const isLiteral = this.#isShell && isDollar && !/^[a-z]+:/i.test(operand);
      if (value === undefined && !isLiteral) this.#unsupported.add(quote(whole));
      return value ?? whole;
    }
    // `${env:NAME}` is the environment of the editor, also in an entry that sets the variable.
    const own = editor === undefined ? undefined : this.#fromEnvironment(name);
    const value = own ?? this.#lookUp(name, entryTexts, nesting) ?? editorVariable(name, this.#scope);
    if (value === undefined && fallback === undefined) this.#unset.add(name);
    const expanded = value ?? (fallback === undefined ? whole : this.expand(fallback, entryTexts, nesting + 1));
    if (expanded !== whole) this.#variables.set(name, expanded);
    return expanded;
  }

  #lookUp(name: string, entryTexts: Environment, nesting: number): string | undefined {
    const text = Object.hasOwn(entryTexts, name) ? entryTexts[name] : undefined;
    const { entryEnv = {} } = this.#scope;
    let value = Object.hasOwn(entryEnv, name) ? entryEnv[name] : this.#fromEnvironment(name);
    if (text !== undefined) {
      value = this.#expanded.get(name) ?? this.expand(text, without(entryTexts, name), nesting + 1);
      this.#expanded.set(name, value);
    }
    if (value !== undefined) this.#variables.set(name, value);
    return value;
  }

  #fromEnvironment(name: string): string | undefined {
    const { env } = this.#scope;
    // `process.env` inherits from Object.prototype, which has a property `constructor`.
    return Object.hasOwn(env, name) ? env[name] : undefined;
  }
}

/** Returns the position of the closing brace of each opening one. */
function matchBraces(text: string): ReadonlyMap<number, number> {
  const closing = new Map<number, number>();
  const open: number[] = [];
  for (const { index, 0: brace } of text.matchAll(/[{}]/g)) {
    if (brace === '{') open.push(index);
    else {
      const start = open.pop();
      if (start !== undefined) closing.set(start, index);
    }
  }
  return closing;
}

/** Quotes a placeholder without its default, which may be a secret. */
function quote(text: string): string {
  const [name = ''] = text.split(':-', 1);
  return name.length <= MAX_QUOTED_LENGTH ? name : `${name.slice(0, MAX_QUOTED_LENGTH)}…`;
}

function without(variables: Environment, name: string): Environment {
  return Object.fromEntries(Object.entries(variables).filter(([key]) => key !== name));
}

/** Returns the home directory of the user. */
export function homeDirectory(env: Environment): string {
  return env['HOME'] ?? env['USERPROFILE'] ?? homedir();
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
      return homeDirectory(env);
    case 'pathSeparator':
    case '/':
      return sep;
    default:
      return undefined;
  }
}
