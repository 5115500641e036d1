import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import {
  type ConfigDocument,
  DocumentSyntaxError,
  isTable,
  LIST_KEYS,
  parseDocument,
  projectDirectory,
  readServerLists,
  readTextFile,
} from '../client-files/index.js';
import { resolveAuth } from './auth.js';
import { NO_BUS_KEYS_WARNING, readBusTls } from './bus-tls.js';
import { type Config, ConfigError, type LogLevel, type ServerConfig } from './config.js';
import { createDemoServers } from './demo-servers.js';
import { type Environment, expandVariables } from './expand-variables.js';
import { didYouMean, expectedMessage, formatIssues, formatKey, formatValue, isMissingFile } from './issues.js';
import { LOG_LEVELS, suggestOption, type SwarmlensOptions, swarmlensOptionsSchema } from './schema.js';
import { createObserverServers, parseObservedSources } from './observed-sources.js';
import { duplicateWarning, removeDuplicateServers } from './servers/duplicate-servers.js';
import { parseServer, type ServerEntryContext } from './servers/parse-server.js';
import { isTapCommand, tapWarning } from './servers/tap-entry.js';
import { resolveTracesUrl, traceHeaders } from './traces.js';
import { readTrustedDocuments } from './trusted-documents.js';
import { codingAgents } from '../observer-format/index.js';
import { defaultTapKeyFile, isLoopbackAddress } from '../shared/index.js';
import { collectSecrets, isSecretName, SecretRedactor } from '../shared/sanitize/index.js';

/** Flags of the command line, with their values as text. */
export interface ConfigFlags {
  readonly config?: string | undefined;
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly demo?: boolean | undefined;
  readonly observe?: string | undefined;
  readonly 'insecure-no-auth'?: boolean | undefined;
}

export interface ConfigSources {
  readonly flags: ConfigFlags;
  readonly env: Environment;
  readonly cwd: string;
  /** Path of the program that starts the simulators of the demo, and observers. */
  readonly program: string;
}

/** Name of the file that is read by default. */
export const DEFAULT_CONFIG_FILE = 'swarmlens.config.json';

const DEFAULT_OPTIONS = swarmlensOptionsSchema.parse({});

/**
 * Loads the configuration. Flags override the environment, which overrides the file. Returns the configuration of the
 * demo if there is no file and nothing is observed.
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
    observe,
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
  const observed = parseObservedSources(sources, observe, file?.servers ?? [], problems);
  if (problems.length > 0) {
    const redactor = new SecretRedactor(collectSecrets(file?.json));
    throw new ConfigError([...(file?.warnings ?? []), ...problems].map((problem) => redactor.redact(problem)));
  }
  const isDemo = file === null && (flags.demo === true || observed.length === 0);
  const listed = isDemo ? createDemoServers(program, cwd) : (file?.servers ?? []);
  const allServers = [...listed, ...createObserverServers(observed, sources)];
  const { servers, duplicates } = removeDuplicateServers(allServers.filter((server) => !isTapCommand(server)));
  return {
    ...options,
    file: file?.path ?? null,
    warnings: [
      ...(file?.warnings ?? []),
      ...allServers.filter(isTapCommand).map(tapWarning),
      ...duplicates.map(duplicateWarning),
      ...(options.bus !== 'memory' && options.busKeys.length === 0 ? [NO_BUS_KEYS_WARNING] : []),
    ],
    servers,
    demo: isDemo,
    discovery: { directory: cwd, codingAgents: codingAgents(env, cwd), ...discovery },
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
  /** Messages about entries and keys that are ignored, one line each. */
  readonly warnings: readonly string[];
  readonly options: SwarmlensOptions;
}

/** Returns null if no file is named and the default file does not exist. */
async function readConfigFile({ flags, env, cwd }: ConfigSources, problems: string[]): Promise<ConfigFile | null> {
  const name = flags.config ?? env['SWARMLENS_CONFIG'];
  const path = resolve(cwd, name ?? DEFAULT_CONFIG_FILE);
  let text: string;
  try {
    text = await readTextFile(path);
  } catch (error) {
    if (name === undefined && isMissingFile(error)) return null;
    const reason = isMissingFile(error) ? 'the file does not exist' : 'expected a readable file of at most 4 MB';
    problems.push(`${path}: cannot be read – ${reason}`);
    return emptyFile(path);
  }
  return parseConfigText(text, path, env, problems);
}

function emptyFile(path: string): ConfigFile {
  return { path, variables: new Map(), servers: [], warnings: [], options: DEFAULT_OPTIONS };
}

/**
 * Parses the text of a configuration file.
 * @param allProblems receives the mistakes that prevent the start, one line each
 */
export async function parseConfigText(
  text: string,
  path: string,
  env: Environment,
  allProblems: string[],
): Promise<ConfigFile> {
  let document: ConfigDocument;
  try {
    document = parseDocument(text, path);
  } catch (error) {
    if (!(error instanceof DocumentSyntaxError)) throw error;
    allProblems.push(`${path}: ${error.message}`);
    return emptyFile(path);
  }
  const json = document.value;
  const addPlace = (line: string): string => withPlace(line, document, path);
  if (!isTable(json)) {
    allProblems.push(`${path}: ${formatValue(json, [])} – expected an object with "mcpServers"`);
    return { ...emptyFile(path), json };
  }
  const problems: string[] = [];
  const lists = readServerLists(json);
  const expectedKeys = lists.keys.length === 0 ? ['mcpServers', 'swarmlens'] : ['swarmlens'];
  if (lists.keys.length === 0) {
    const given = json['mcpServers'];
    problems.push(`mcpServers: ${formatValue(given, ['mcpServers'])} – expected an object of servers${OTHER_LISTS}`);
  }
  for (const key of Object.keys(json)) {
    // Other programs have keys of their own in the file, so that only misspellings are reported.
    const isKnown = [...LIST_KEYS, ...lists.keys, 'swarmlens'].includes(key);
    const hint = isKnown ? '' : didYouMean(key, expectedKeys);
    if (hint !== '') problems.push(`${formatKey([key])}: unknown option${hint}`);
  }
  const variables = new Map<string, string>();
  const warnings = lists.warnings.map(addPlace);
  for (const duplicate of document.duplicates.slice(0, MAX_DUPLICATES)) {
    if ([...lists.keys, 'swarmlens'].includes(duplicate[0] ?? ''))
      warnings.push(
        addPlace(`${formatKey(duplicate)}: is written more than once – the last one is used, remove the others`),
      );
  }
  const context = {
    file: path,
    directory: projectDirectory(path),
    env,
    variables,
    problems,
    warnings,
    addPlace,
    names: new Set(lists.servers.map(({ id }) => id)),
  };
  const servers: ServerConfig[] = [];
  for (const listed of lists.servers) {
    const server = await parseServer(listed, context);
    if (server !== null) servers.push(server);
  }
  const options = parseOptions(json['swarmlens'] ?? {}, context);
  allProblems.push(...problems.map(addPlace));
  return { path, json, variables, servers, warnings, options };
}

/**
 * Adds the file and the line of the key with which a message begins. They follow a key that names a secret directly, because
 * the redaction of logs and notices removes what follows such a name and a colon.
 */
function withPlace(message: string, document: ConfigDocument, file: string): string {
  const line = document.lineOf(findPath(document.value, message));
  const place = line === null ? `(${file})` : `(${file}, line ${line})`;
  const [key = ''] = message.split(': ', 1);
  const name = key.split('.').at(-1) ?? '';
  return isSecretName(name) ? `${key} ${place}${message.slice(key.length)}` : `${message} ${place}`;
}

/** Returns the longest path in `value` whose formatted key begins a message. */
function findPath(value: unknown, message: string): readonly PropertyKey[] {
  if (typeof value !== 'object' || value === null) return [];
  for (const [key, item] of Object.entries(value)) {
    const text = formatKey([key]);
    if (!message.startsWith(text)) continue;
    const rest = message.slice(text.length);
    const segment = Array.isArray(value) ? Number(key) : key;
    if (rest.startsWith('.')) return [segment, ...findPath(item, rest.slice(1))];
    if (rest.startsWith(':')) return [segment];
  }
  return [];
}

const OTHER_LISTS = ` (${LIST_KEYS.slice(1)
  .map((key) => `"${key}"`)
  .join(', ')} are read, too)`;
/** Maximum number of keys that are reported because they occur again. */
const MAX_DUPLICATES = 20;

function parseOptions(
  input: unknown,
  { directory, env, variables, problems }: Pick<ServerEntryContext, 'directory' | 'env' | 'variables' | 'problems'>,
): SwarmlensOptions {
  const path = ['swarmlens'];
  const unset = new Map<string, string>();
  const parsed = swarmlensOptionsSchema.safeParse(
    expandVariables(input, path, { directory, env }, { problems: unset, variables }),
    {
      error: expectedMessage,
    },
  );
  problems.push(...unset.values());
  if (parsed.success) return parsed.data;
  problems.push(
    ...formatIssues(parsed.error.issues, { path, input, reported: new Set(unset.keys()), hintFor: suggestOption }),
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

function parseLogLevel(text: string | undefined, problems: string[]): LogLevel | undefined {
  if (text === undefined) return undefined;
  const level = z.enum(LOG_LEVELS).safeParse(text);
  if (level.success) return level.data;
  problems.push(`LOG_LEVEL: ${formatValue(text, [])} – expected one of ${LOG_LEVELS.join(', ')}`);
  return undefined;
}
