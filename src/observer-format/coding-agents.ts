import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { OBSERVED_SOURCES, type ObservedSource } from './values.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Coding agent of this machine, which may not be installed. */
export interface CodingAgent {
  readonly source: ObservedSource;
  /** Directory in which the coding agent keeps its files. */
  readonly directory: string;
}

/** Variables of the environment that an observer reads. */
export const OBSERVER_VARIABLES = ['CLAUDE_CONFIG_DIR', 'CODEX_HOME', 'XDG_STATE_HOME'] as const;

/** Variable that names the directory of a coding agent, and the name of the usual directory in the home directory. */
const DIRECTORIES: Readonly<
  Record<ObservedSource, { readonly variable: (typeof OBSERVER_VARIABLES)[number]; readonly name: string }>
> = {
  'claude-code': { variable: 'CLAUDE_CONFIG_DIR', name: '.claude' },
  codex: { variable: 'CODEX_HOME', name: '.codex' },
};

/** Returns the directory in which a coding agent keeps its files. It need not exist. */
export function codingAgentDirectory(source: ObservedSource, env: Environment): string {
  const { variable, name } = DIRECTORIES[source];
  const directory = env[variable] ?? '';
  const home = env['HOME'] ?? '';
  return directory !== '' ? directory : join(isAbsolute(home) ? home : homedir(), name);
}

/** Returns all coding agents that can be observed, whether they are installed or not. */
export function codingAgents(env: Environment, cwd: string): readonly CodingAgent[] {
  return OBSERVED_SOURCES.map((source) => ({ source, directory: resolve(cwd, codingAgentDirectory(source, env)) }));
}

/** Returns the arguments of swarmlens that observe a coding agent. */
export function observerArguments(source: ObservedSource): readonly string[] {
  return ['observe', source];
}
