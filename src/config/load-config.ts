import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { resolveAuth } from './auth.js';
import { type Config, ConfigError, type LogLevel, LOG_LEVELS, type ServerConfig } from './config.js';
import { createDemoServers } from './demo-servers.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { duplicateWarning, removeDuplicateServers } from './servers/duplicate-servers.js';
import { JsonSyntaxError, parseJson } from './parse-json.js';
import { expectedMessage, didYouMean, formatKey, formatIssues, formatValue } from './issues.js';
import { configFileSchema, suggestOption, swarmlensOptionsSchema } from './schema.js';
import { parseServer } from './servers/parse-server.js';
import { isTapCommand, tapWarning } from './servers/tap-entry.js';
import { resolveTracesUrl } from './traces.js';
import { readTrustedDocuments } from './trusted-documents.js';
import { type Environment, expandVariables } from './expand-variables.js';

/** What the command line says; text as it was typed. */
export interface ConfigFlags {
  readonly config?: string | undefined;
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly demo?: boolean | undefined;
  readonly 'insecure-no-auth'?: boolean | undefined;
}

export interface ConfigSources {
  readonly flags: ConfigFlags;
  readonly env: Environment;
  readonly cwd: string;
  /** The program that the demo's simulators are started from. */
  readonly program: string;
}

/** Where servers are looked for: this machine only, unless somebody says otherwise. */
const USUAL_HOSTS = ['localhost'];
/** Of VisionFlow's bridges and of the DAA server. */
const USUAL_PORTS = [9500, 9501, 9502, 3001, 3002];

const DEFAULT_BUS_PREFIX = 'swarmlens';
const DEFAULT_LEASE_MS = 5_000;

/** Read when no file is named. */
export const DEFAULT_CONFIG_FILE = 'swarmlens.config.json';

/**
 * Flags beat the environment, the environment beats the file. Without any configuration it is the demo.
 * @throws ConfigError with all mistakes at once
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { flags, env, cwd, program } = sources;
  const problems: string[] = [];
  const file = flags.demo === true ? null : await readConfigFile(sources, problems);
  const options: OwnOptions = file?.own ?? {};
  const port = portOf(flags.port, '--port', problems) ?? portOf(env['PORT'], 'PORT', problems) ?? options.port ?? 4000;
  const host = flags.host ?? env['HOST'] ?? options.host ?? '127.0.0.1';
  const auth = file === null ? null : await resolveAuth(options.auth ?? {}, dirname(file.path), problems);
  const trustedDocuments = file === null ? null : await trustedOf(file, problems);
  const isOpen = isInsecure(sources, problems) && auth === null;
  if (!isLoopback(host) && auth === null && !isOpen) {
    const key = flags.host !== undefined ? '--host' : env['HOST'] !== undefined ? 'HOST' : 'swarmlens.host';
    problems.push(
      `${key}: ${formatValue(host, [])} – without authentication only loopback is bound: set swarmlens.auth, use 127.0.0.1, ::1 or localhost, or pass --insecure-no-auth to serve everybody`,
    );
  }
  const tracesUrl = resolveTracesUrl(env, options.otlpEndpoint, problems);
  const logLevel = logLevelOf(env['LOG_LEVEL'], problems) ?? options.logLevel ?? 'warn';
  if (problems.length > 0) throw new ConfigError(problems);
  const all = file?.servers ?? createDemoServers(program, cwd);
  const { servers, duplicates } = removeDuplicateServers(all.filter((server) => !isTapCommand(server)));
  return {
    file: file?.path ?? null,
    warnings: [...all.filter(isTapCommand).map(tapWarning), ...duplicates.map(duplicateWarning)],
    discovery: {
      directory: cwd,
      hosts: options.discovery?.hosts ?? USUAL_HOSTS,
      ports: options.discovery?.ports ?? USUAL_PORTS,
    },
    servers,
    demo: file === null,
    auth,
    origins: options.auth?.origins ?? [],
    trustedDocuments,
    insecureNoAuth: isOpen,
    limits: withDefaults(options.limits ?? {}),
    host,
    port,
    bus: options.bus ?? 'memory',
    busPrefix: options.busPrefix ?? DEFAULT_BUS_PREFIX,
    leaseMs: options.leaseMs ?? DEFAULT_LEASE_MS,
    logLevel,
    tracesUrl,
    heartbeatMs: options.heartbeatMs ?? 5_000,
    tombstones: options.tombstones ?? 2_000,
    removeAfterMs: options.removeAfterMs === undefined ? 300_000 : options.removeAfterMs,
    shutdownMs: options.shutdownMs ?? 5_000,
    compressFromBytes: options.compressFromBytes === undefined ? 512 : options.compressFromBytes,
    maxBufferedBytes: options.maxBufferedBytes ?? 524_288,
    maxSlowMs: options.maxSlowMs === undefined ? 60_000 : options.maxSlowMs,
  };
}

/** zod leaves out what is left out, and types it as undefined. */
function withDefaults(limits: NonNullable<OwnOptions['limits']>): Limits {
  return { ...DEFAULT_LIMITS, ...(limits as Partial<Limits>) };
}

type OwnOptions = z.infer<typeof swarmlensOptionsSchema>;

interface ConfigFile {
  readonly path: string;
  readonly servers: readonly ServerConfig[];
  readonly own: OwnOptions;
}

async function readConfigFile({ flags, env, cwd }: ConfigSources, problems: string[]): Promise<ConfigFile | null> {
  const named = flags.config ?? env['SWARMLENS_CONFIG'];
  const path = resolve(cwd, named ?? DEFAULT_CONFIG_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (named === undefined && missing) return null;
    problems.push(`${path}: cannot be read – ${missing ? 'there is no such file' : 'it must be a readable file'}`);
    return { path, servers: [], own: {} };
  }
  return parseFile(text, path, env, problems);
}

function parseFile(text: string, path: string, env: Environment, problems: string[]): ConfigFile {
  const nothing = { path, servers: [], own: {} };
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    problems.push(`${path}: is not JSON – ${error.message}`);
    return nothing;
  }
  const file = configFileSchema.safeParse(json, { error: expectedMessage });
  if (!file.success) {
    problems.push(...formatIssues(file.error, { path: [], input: json, reported: new Set(), hintFor: () => '' }));
    return nothing;
  }
  const { mcpServers, swarmlens = {}, ...others } = file.data;
  for (const key of Object.keys(others)) {
    // Other programs have keys of their own here; what is nearly ours is a slip.
    const meant = didYouMean(key, ['swarmlens']);
    if (meant !== '') problems.push(`${formatKey([key])}: there is no such option${meant}`);
  }
  const context = { directory: dirname(path), env };
  const servers = Object.entries(mcpServers).flatMap(([id, entry]) => parseServer(id, entry, context, problems) ?? []);
  return { path, servers, own: parseOwn(swarmlens, env, problems) };
}

function parseOwn(input: unknown, env: Environment, problems: string[]): OwnOptions {
  const path = ['swarmlens'];
  const unset = new Map<string, string>();
  const parsed = swarmlensOptionsSchema.safeParse(expandVariables(input, path, env, unset), { error: expectedMessage });
  problems.push(...unset.values());
  if (parsed.success) return parsed.data;
  problems.push(
    ...formatIssues(parsed.error, { path, input, reported: new Set(unset.keys()), hintFor: suggestOption }),
  );
  return {};
}

async function trustedOf({ path, own }: ConfigFile, problems: string[]): Promise<ReadonlyMap<string, string> | null> {
  if (own.trustedDocuments === undefined) return null;
  return await readTrustedDocuments(resolve(dirname(path), own.trustedDocuments), problems);
}

function isInsecure({ flags, env }: ConfigSources, problems: string[]): boolean {
  if (flags['insecure-no-auth'] === true) return true;
  const text = env['SWARMLENS_INSECURE_NO_AUTH'] ?? '';
  if (!['', '0', '1'].includes(text)) {
    problems.push(`SWARMLENS_INSECURE_NO_AUTH: ${formatValue(text, [])} – expected 1, or nothing`);
  }
  return text === '1';
}

function portOf(text: string | undefined, key: string, problems: string[]): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  problems.push(`${key}: ${formatValue(text, [])} – expected a whole number from 0 (any free port) to 65535`);
  return undefined;
}

function logLevelOf(text: string | undefined, problems: string[]): LogLevel | undefined {
  if (text === undefined) return undefined;
  const level = z.enum(LOG_LEVELS).safeParse(text);
  if (level.success) return level.data;
  problems.push(`LOG_LEVEL: ${formatValue(text, [])} – expected one of ${LOG_LEVELS.join(', ')}`);
  return undefined;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
