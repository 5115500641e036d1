import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { type Config, ConfigError, type LogLevel, LOG_LEVELS, type ServerConfig } from './config.js';
import { demoServers } from './demo.js';
import { problemsOf } from './problems.js';
import { FILE, OWN_OPTIONS } from './schema.js';
import { parseServer } from './servers.js';
import { fillIn } from './variables.js';

/** What the command line says; text as it was typed. */
export interface Flags {
  readonly config?: string | undefined;
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly demo?: boolean | undefined;
}

export interface ConfigSources {
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The program that the demo's simulators are started from. */
  readonly program: string;
}

/** Read when no file is named. */
export const DEFAULT_FILE = 'swarmlens.config.json';

/**
 * Flags beat the environment, the environment beats the file. Without any configuration it is the demo.
 * @throws ConfigError with all mistakes at once
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { flags, env, cwd, program } = sources;
  const problems: string[] = [];
  const file = flags.demo === true ? null : await readConfigFile(sources, problems);
  const own = OWN_OPTIONS.safeParse(file?.own ?? {});
  if (!own.success) problems.push(...problemsOf(own.error, ['swarmlens'], file?.own));
  const options = own.success ? own.data : {};
  const port = portOf(flags.port, '--port', problems) ?? portOf(env['PORT'], 'PORT', problems) ?? options.port ?? 4000;
  const host = flags.host ?? env['HOST'] ?? options.host ?? '127.0.0.1';
  if (!isLoopback(host)) {
    const key = flags.host !== undefined ? '--host' : env['HOST'] !== undefined ? 'HOST' : 'swarmlens.host';
    problems.push(
      `${key}: is "${host}" – without authentication, which this version has not, only loopback is bound: use 127.0.0.1, ::1 or localhost`,
    );
  }
  const logLevel = logLevelOf(env['LOG_LEVEL'], problems) ?? options.logLevel ?? 'warn';
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    servers: file === null ? demoServers(program, cwd) : file.servers,
    demo: file === null,
    host,
    port,
    bus: options.bus ?? 'memory',
    logLevel,
    heartbeatMs: options.heartbeatMs ?? 5_000,
    tombstones: options.tombstones ?? 2_000,
    shutdownMs: options.shutdownMs ?? 5_000,
  };
}

interface ConfigFile {
  readonly servers: readonly ServerConfig[];
  readonly own: unknown;
}

async function readConfigFile({ flags, env, cwd }: ConfigSources, problems: string[]): Promise<ConfigFile | null> {
  const named = flags.config ?? env['SWARMLENS_CONFIG'];
  const path = resolve(cwd, named ?? DEFAULT_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (named === undefined && missing) return null;
    problems.push(`${path}: cannot be read – ${missing ? 'there is no such file' : 'it must be a readable file'}`);
    return { servers: [], own: undefined };
  }
  return parseFile(text, path, env, problems);
}

function parseFile(
  text: string,
  path: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): ConfigFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    problems.push(`${path}: is not JSON – ${error instanceof Error ? error.message : 'it cannot be parsed'}`);
    return { servers: [], own: undefined };
  }
  const filled = fillIn(json, env, problems);
  const file = FILE.safeParse(filled);
  if (!file.success) {
    problems.push(...problemsOf(file.error, [], filled));
    return { servers: [], own: undefined };
  }
  const servers = Object.entries(file.data.mcpServers).flatMap(
    ([id, entry]) => parseServer(id, entry, dirname(path), problems) ?? [],
  );
  return { servers, own: file.data.swarmlens };
}

function portOf(text: string | undefined, key: string, problems: string[]): number | undefined {
  if (text === undefined) return undefined;
  const port = z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .safeParse(text.trim() === '' ? NaN : text);
  if (port.success) return port.data;
  problems.push(`${key}: is "${text}" – expected a whole number from 0 (any free port) to 65535`);
  return undefined;
}

function logLevelOf(text: string | undefined, problems: string[]): LogLevel | undefined {
  if (text === undefined) return undefined;
  const level = z.enum(LOG_LEVELS).safeParse(text);
  if (level.success) return level.data;
  problems.push(`LOG_LEVEL: is "${text}" – expected one of ${LOG_LEVELS.join(', ')}`);
  return undefined;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
