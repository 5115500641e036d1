import {
  OBSERVED_SOURCES,
  type ObservedSource,
  OBSERVER_VARIABLES,
  observerArguments,
} from '../observer-format/index.js';
import type { ServerConfig } from './config.js';
import type { Environment } from './expand-variables.js';
import { didYouMean, formatValue } from './issues.js';
import { OBSERVE_ERROR } from './schema.js';
import { DEFAULT_SERVER_OPTIONS } from './servers/parse-server.js';

interface ObserveOptions {
  readonly flags: { readonly observe?: string | undefined; readonly demo?: boolean | undefined };
  readonly env: Environment;
}

/**
 * Returns the coding agents to observe: those of the flag, or else of the environment, or else of the file. `--demo` runs instead of
 * a configuration, so that only the flag counts beside it.
 * @param configured coding agents of the file
 * @param servers servers of the file, whose ids must not be those of observers
 * @param problems receives one line per mistake
 */
export function parseObservedSources(
  { flags, env }: ObserveOptions,
  configured: readonly ObservedSource[],
  servers: readonly Pick<ServerConfig, 'id'>[],
  problems: string[],
): readonly ObservedSource[] {
  const variable = flags.demo === true ? '' : (env['SWARMLENS_OBSERVE'] ?? '');
  const key = flags.observe !== undefined ? '--observe' : variable !== '' ? 'SWARMLENS_OBSERVE' : 'swarmlens.observe';
  const text = flags.observe ?? (variable === '' ? null : variable);
  const sources = text === null ? configured : parseList(text, key, problems);
  const ids = new Set(servers.map(({ id }) => id));
  for (const source of sources.filter((name) => ids.has(name)))
    problems.push(
      `${key}: ${formatValue(source, [])} – another server of the configuration has this id: rename that server, or do not observe ${source}`,
    );
  return sources;
}

function parseList(text: string, key: string, problems: string[]): readonly ObservedSource[] {
  const sources = new Set<ObservedSource>();
  for (const name of text.split(',').map((entry) => entry.trim())) {
    const source = OBSERVED_SOURCES.find((candidate) => candidate === name);
    const value = formatValue(name, []);
    if (source === undefined)
      problems.push(`${key}: ${value} – ${OBSERVE_ERROR}${didYouMean(name, [...OBSERVED_SOURCES])}`);
    else if (sources.has(source)) problems.push(`${key}: ${value} – is written more than once: remove the others`);
    else sources.add(source);
  }
  return [...sources];
}

/** Returns the servers that observe coding agents, which run as child processes of this program. */
export function createObserverServers(
  sources: readonly ObservedSource[],
  { env, cwd, program }: { readonly env: Environment; readonly cwd: string; readonly program: string },
): readonly ServerConfig[] {
  const variables = OBSERVER_VARIABLES.flatMap((name) => {
    const value = env[name] ?? '';
    return value === '' ? [] : [[name, value] as const];
  });
  return sources.map((source) => ({
    ...DEFAULT_SERVER_OPTIONS,
    id: source,
    endpoint: {
      type: 'stdio',
      command: process.execPath,
      args: [program, ...observerArguments(source)],
      cwd,
      env: Object.fromEntries(variables),
    },
  }));
}
