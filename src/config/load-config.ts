import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { resolveAuth } from './auth.js';
import { NO_BUS_KEYS_WARNING, readBusTls } from './bus-tls.js';
import { type Config, ConfigError, type LogLevel, type ServerConfig } from './config.js';
import { createDemoServers } from './demo-servers.js';
import { type Environment, expandVariables } from './expand-variables.js';
import { didYouMean, expectedMessage, formatIssues, formatKey, formatValue } from './issues.js';
import { JsonSyntaxError, parseJson } from './parse-json.js';
import {
  configFileSchema,
  LOG_LEVELS,
  suggestOption,
  type SwarmlensOptions,
  swarmlensOptionsSchema,
} from './schema.js';
import { duplicateWarning, removeDuplicateServers } from './servers/duplicate-servers.js';
import { parseServer, type ServerEntryContext } from './servers/parse-server.js';
import { isTapCommand, tapWarning } from './servers/tap-entry.js';
import { resolveTracesUrl, traceHeaders } from './traces.js';
import { readTrustedDocuments } from './trusted-documents.js';
import { defaultTapKeyFile, isLoopbackHost } from '../shared/index.js';
import { collectSecrets, SecretRedactor } from '../shared/sanitize/index.js';

/** Flags of the command line, with their values as text. */
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
  /** Path of the program that starts the simulators of the demo. */
  readonly program: string;
}

/** Name of the file that is read by default. */
export const DEFAULT_CONFIG_FILE = 'swarmlens.config.json';

const DEFAULT_OPTIONS = swarmlensOptionsSchema.parse({});

/**
 * Loads the configuration. Flags override the environment, which overrides the file. Returns the configuration of the
 * demo if there is no file.
 * @throws ConfigError with all mistakes
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { flags, env, cwd, program } = sources;
  const problems: string[] = [];
  const file = flags.demo === true ? null : await readConfigFile(sources, problems);
  const {
    auth: authOptions,
    busTls: busTlsOptions,
    otlpEndpoint,
    tapKeyFile,
    trustedDocuments: manifest,
    discovery,
    ...options
  } = file?.options ?? DEFAULT_OPTIONS;
  const port = parsePort(flags.port, '--port', problems) ?? parsePort(env['PORT'], 'PORT', problems) ?? options.port;
  const host = flags.host ?? env['HOST'] ?? options.host;
  const directory = file === null ? cwd : dirname(file.path);
  const auth = await resolveAuth(authOptions, directory, problems);
  const busTls = await readBusTls({ bus: options.bus, busTls: busTlsOptions }, directory, problems);
  const trustedDocuments =
    manifest === undefined ? null : await readTrustedDocuments(resolve(directory, manifest), problems);
  const insecureNoAuth = isInsecure(sources, problems) && auth === null;
  if (!isLoopbackAddress(host) && auth === null && !insecureNoAuth) {
    const key = flags.host !== undefined ? '--host' : env['HOST'] !== undefined ? 'HOST' : 'swarmlens.host';
    problems.push(
      `${key}: ${formatValue(host, [])} – only loopback is allowed without authentication: set swarmlens.auth, use 127.0.0.1, ::1 or localhost, or pass --insecure-no-auth to accept every client`,
    );
  }
  const tracesUrl = resolveTracesUrl(env, otlpEndpoint, problems);
  const logLevel = parseLogLevel(env['LOG_LEVEL'], problems) ?? options.logLevel;
  if (problems.length > 0) {
    const redactor = new SecretRedactor(collectSecrets(file?.json));
    throw new ConfigError(problems.map((problem) => redactor.redact(problem)));
  }
  const allServers = file?.servers ?? createDemoServers(program, cwd);
  const { servers, duplicates } = removeDuplicateServers(allServers.filter((server) => !isTapCommand(server)));
  return {
    ...options,
    file: file?.path ?? null,
    warnings: [
      ...allServers.filter(isTapCommand).map(tapWarning),
      ...duplicates.map(duplicateWarning),
      ...(options.bus !== 'memory' && options.busKeys.length === 0 ? [NO_BUS_KEYS_WARNING] : []),
    ],
    servers,
    demo: file === null,
    discovery: { directory: cwd, ...discovery },
    busTls,
    auth,
    origins: authOptions.origins,
    allowHeaders: authOptions.allowHeaders,
    tapKeyFile: resolveTapKeyFile(sources, tapKeyFile, directory),
    trustedDocuments,
    insecureNoAuth,
    host,
    port,
    logLevel,
    variables: new Map([...(file?.variables ?? []), ...traceHeaders(env)]),
    tracesUrl,
  };
}

function resolveTapKeyFile({ env, cwd }: ConfigSources, configured: string | undefined, directory: string): string {
  const fromEnvironment = env['SWARMLENS_TAP_KEY_FILE'] ?? '';
  if (fromEnvironment !== '') return resolve(cwd, fromEnvironment);
  return configured === undefined ? defaultTapKeyFile(env) : resolve(directory, configured);
}

interface ConfigFile {
  readonly path: string;
  /** Content of the file. Undefined if it is not JSON. */
  readonly json?: unknown;
  /** Values that replaced variables, by name. */
  readonly variables: ReadonlyMap<string, string>;
  readonly servers: readonly ServerConfig[];
  readonly options: SwarmlensOptions;
}

/** Returns null if no file is named and the default file does not exist. */
async function readConfigFile({ flags, env, cwd }: ConfigSources, problems: string[]): Promise<ConfigFile | null> {
  const name = flags.config ?? env['SWARMLENS_CONFIG'];
  const path = resolve(cwd, name ?? DEFAULT_CONFIG_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (name === undefined && isMissing) return null;
    problems.push(`${path}: cannot be read – ${isMissing ? 'the file does not exist' : 'expected a readable file'}`);
    return { path, variables: new Map(), servers: [], options: DEFAULT_OPTIONS };
  }
  return parseFile(text, path, env, problems);
}

function parseFile(text: string, path: string, env: Environment, problems: string[]): ConfigFile {
  const variables = new Map<string, string>();
  const empty = { path, variables, servers: [], options: DEFAULT_OPTIONS };
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    problems.push(`${path}: is not JSON – ${error.message}`);
    return empty;
  }
  const file = configFileSchema.safeParse(json, { error: expectedMessage });
  if (!file.success) {
    problems.push(...formatIssues(file.error, { path: [], input: json, reported: new Set(), hintFor: () => '' }));
    return { ...empty, json };
  }
  const { $schema: _schema, mcpServers, swarmlens = {}, ...unknownKeys } = file.data;
  for (const key of Object.keys(unknownKeys)) {
    // Other programs have keys of their own in the file, so that only misspellings are reported.
    const hint = didYouMean(key, ['swarmlens']);
    if (hint !== '') problems.push(`${formatKey([key])}: unknown option${hint}`);
  }
  const context = { directory: dirname(path), env, variables };
  const servers = Object.entries(mcpServers).flatMap(([id, entry]) => parseServer(id, entry, context, problems) ?? []);
  return { path, json, variables, servers, options: parseOptions(swarmlens, context, problems) };
}

function parseOptions(
  input: unknown,
  { env, variables }: Pick<ServerEntryContext, 'env' | 'variables'>,
  problems: string[],
): SwarmlensOptions {
  const path = ['swarmlens'];
  const unset = new Map<string, string>();
  const parsed = swarmlensOptionsSchema.safeParse(expandVariables(input, path, env, { problems: unset, variables }), {
    error: expectedMessage,
  });
  problems.push(...unset.values());
  if (parsed.success) return parsed.data;
  problems.push(
    ...formatIssues(parsed.error, { path, input, reported: new Set(unset.keys()), hintFor: suggestOption }),
  );
  return DEFAULT_OPTIONS;
}

function isInsecure({ flags, env }: ConfigSources, problems: string[]): boolean {
  if (flags['insecure-no-auth'] === true) return true;
  const text = env['SWARMLENS_INSECURE_NO_AUTH'] ?? '';
  if (!['', '0', '1'].includes(text)) {
    problems.push(`SWARMLENS_INSECURE_NO_AUTH: ${formatValue(text, [])} – expected 1, 0 or an empty value`);
  }
  return text === '1';
}

function parsePort(text: string | undefined, key: string, problems: string[]): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  problems.push(`${key}: ${formatValue(text, [])} – expected a whole number from 0 (any free port) to 65535`);
  return undefined;
}

/** Returns whether the address accepts local connections only. A name below `.localhost` may resolve otherwise. */
function isLoopbackAddress(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && isLoopbackHost(host));
}

function parseLogLevel(text: string | undefined, problems: string[]): LogLevel | undefined {
  if (text === undefined) return undefined;
  const level = z.enum(LOG_LEVELS).safeParse(text);
  if (level.success) return level.data;
  problems.push(`LOG_LEVEL: ${formatValue(text, [])} – expected one of ${LOG_LEVELS.join(', ')}`);
  return undefined;
}
