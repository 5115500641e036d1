import { resolve } from 'node:path';
import { parse as parseEnv } from 'dotenv';
import { z } from 'zod';
import {
  isTable,
  type ListedServer,
  normalizeEntry,
  type NormalizedEntry,
  readTextFile,
  type Table,
  urlTypeOf,
} from '../../client-files/index.js';
import type { EndpointConfig, UnusableEndpoint } from '../../mcp/index.js';
import { collectSecrets, SecretRedactor } from '../../shared/sanitize/index.js';
import type { ServerConfig } from '../config.js';
import { type Environment, expandEntryEnv, expandVariables, homeDirectory } from '../expand-variables.js';
import { didYouMean, formatKey, formatValue, isMissingFile } from '../issues.js';
import { ENTRY_KEYS, type ServerOptions, serverOptionsSchema } from '../schema.js';
import { backoffIssues, parseReplicas } from './parse-replicas.js';
import { type EntryProblems, parseServerEntry } from './server-entry.js';
import { toServerId } from './server-id.js';

const DEFAULT_POLL_HZ = 60;
/** Default poll rate of servers with a mapping. It is low, because the cost of their tools is unknown. */
const MAPPED_POLL_HZ = 10;

/** Default time limit for the start of a command in milliseconds. It may have to install packages first. */
const START_TIMEOUT_MS = 120_000;
/** Default time limit for a connection to a running server in milliseconds. */
const CONNECT_TIMEOUT_MS = 30_000;

/** Options of a server whose entry has no `swarmlens`, and which runs already. */
export const DEFAULT_SERVER_OPTIONS = toServerOptions(serverOptionsSchema.parse({}), [], CONNECT_TIMEOUT_MS);

const textsSchema = z.record(z.string(), z.string());

export interface ServerEntryContext {
  /** Path of the configuration file. */
  readonly file: string;
  /** Directory that `cwd` and other paths are relative to. */
  readonly directory: string;
  readonly env: Environment;
  /** Receives the values that replace variables, by name. */
  readonly variables: Map<string, string>;
  /** Receives the mistakes in `swarmlens`, which prevent the start, one line each. */
  readonly problems: string[];
  /** Receives messages about entries and keys that are ignored, one line each, with their places. */
  readonly warnings: string[];
  /** Appends the place in the file to a message that begins with a key. */
  readonly addPlace: (message: string) => string;
  /** Names of all entries. Receives the ids of entries whose name cannot be an id. */
  readonly names: Set<string>;
}

/** Entry with the ids and values that do not change while it is parsed. */
interface Entry {
  readonly id: string;
  readonly path: readonly string[];
  readonly problems: EntryProblems;
}

/**
 * Parses one entry of a server list. An entry that cannot be used becomes a server with an unusable endpoint, so that it
 * is shown with the reason and does not affect the others. Returns null if the entry is disabled, or if its `swarmlens`
 * has mistakes.
 */
export async function parseServer(listed: ListedServer, context: ServerEntryContext): Promise<ServerConfig | null> {
  const { path, entry: given } = listed;
  const { file, warnings, addPlace } = context;
  const problems: EntryProblems = { entry: [], options: context.problems };
  if (!isTable(given)) {
    const value = formatValue(given, path);
    problems.entry.push(`${formatKey(path)}: ${value} – expected an object with "command", "url" or "host"`);
    return unusableServer({ id: takeServerId(listed, context), path, problems }, {}, context);
  }
  const normalized = normalizeEntry(given, { knownKeys: ENTRY_KEYS, urlType: urlTypeOf(file) });
  if (normalized.isDisabled) return null;
  const entry = { id: takeServerId(listed, context), path, problems };
  const { fields, sourceKeys } = normalized;
  for (const { key: name, message } of normalized.obstacles)
    problems.entry.push(`${formatKey([...path, name])}: ${message}`);
  const { expanded, reported } = await expandEntry(normalized, entry, context);
  const location = { path, input: fields, sourceKeys, reported, directory: context.directory };
  const optionProblems = problems.options.length;
  const parsed = parseServerEntry(expanded, location, problems);
  const hints: string[] = [];
  for (const { key: name, message } of normalized.warnings) {
    const list = didYouMean(name, ['swarmlens']) === '' ? hints : problems.options;
    list.push(`${formatKey([...path, name])}: ${message}`);
  }
  if (problems.entry.length > 0) {
    // A misspelled key explains a missing one.
    problems.entry.push(...hints);
    return unusableServer(entry, expanded, context);
  }
  if (parsed === null) return null;
  warnings.push(...hints.map(addPlace));
  const { endpoint, options } = parsed;
  const replicas = parseReplicas(options.replicas, location, problems.options);
  problems.options.push(...backoffIssues(options, path));
  const { mapping, serverType = 'CUSTOM' } = options;
  if (mapping !== undefined && serverType !== 'CUSTOM') {
    problems.options.push(
      `${formatKey([...path, 'swarmlens', 'mapping'])}: is for servers of type CUSTOM, but "serverType" is ${serverType} – remove one of the two`,
    );
  }
  if (problems.options.length > optionProblems) return null;
  const timeoutMs = endpoint.type === 'stdio' ? START_TIMEOUT_MS : CONNECT_TIMEOUT_MS;
  return { id: entry.id, endpoint, ...toServerOptions(options, replicas, timeoutMs) };
}

/** Returns the name of an entry, or an id made from it if the name cannot be an id. */
function takeServerId({ id: name, path }: ListedServer, { names, warnings, addPlace }: ServerEntryContext): string {
  const id = toServerId(name, names);
  if (id === name) return name;
  names.add(id);
  warnings.push(
    addPlace(
      `${formatKey(path)}: is shown as ${JSON.stringify(id)}, because an id has 1 to 64 characters without a colon or control characters`,
    ),
  );
  return id;
}

/** Replaces the variables of an entry and adds those of its file of variables. */
async function expandEntry(
  { fields, sourceKeys, envFile }: NormalizedEntry,
  { path, problems }: Entry,
  { directory, env, variables }: ServerEntryContext,
): Promise<{ readonly expanded: Table; readonly reported: ReadonlySet<string> }> {
  const unset = new Map<string, string>();
  const expansion = { problems: unset, variables };
  const scope = { directory, env };
  const pathOf = (field: string): readonly string[] => [...path, sourceKeys.get(field) ?? field];
  const file = expandHome(expandVariables(envFile, pathOf('envFile'), scope, expansion), env);
  const fileEnv = file === null ? {} : await readEnvFile(file, pathOf('envFile'), directory, problems.entry);
  const ownEnv = expandEntryEnv(fields['env'], pathOf('env'), { ...scope, entryEnv: fileEnv }, expansion);
  const known = textsSchema.safeParse(ownEnv ?? {});
  const entryEnv = { ...fileEnv, ...known.data };
  const expand = (field: string, value: unknown): unknown => {
    if (field === 'env') return ownEnv;
    const text = expandVariables(value, pathOf(field), { ...scope, entryEnv }, expansion);
    return field === 'command' || field === 'cwd' ? expandHome(text, env) : text;
  };
  const expanded = Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, expand(field, value)]));
  const optionsKey = formatKey(pathOf('swarmlens'));
  for (const [name, message] of unset) problems[name.startsWith(optionsKey) ? 'options' : 'entry'].push(message);
  const hasFileEnv = Object.keys(fileEnv).length > 0 && known.success;
  return { expanded: hasFileEnv ? { ...expanded, env: entryEnv } : expanded, reported: new Set(unset.keys()) };
}

/** Replaces `~` at the start of a path, which only shells understand. */
function expandHome(path: unknown, env: Environment): unknown {
  return typeof path === 'string' ? path.replace(/^~(?=[\\/]|$)/, () => homeDirectory(env)) : path;
}

/** Returns a server that is shown as offline with the mistakes of its entry as the reason. */
function unusableServer(
  { id, path, problems }: Entry,
  fields: Table,
  { warnings, addPlace }: ServerEntryContext,
): ServerConfig {
  // Messages hide values by their keys. A secret may also be part of another value. A placeholder is no secret.
  const secrets = [...collectSecrets(fields)].filter((secret) => !/^\$?\{/.test(secret));
  const redactor = new SecretRedactor(secrets);
  const reason = problems.entry.map((problem) => addPlace(redactor.redact(problem))).join('; ');
  warnings.push(`${formatKey(path)}: is skipped – ${reason}`);
  return { id, endpoint: { type: 'unusable', transport: typeOf(fields), reason }, ...DEFAULT_SERVER_OPTIONS };
}

function typeOf({ type, url, host }: Table): UnusableEndpoint['transport'] {
  if (type === 'http' || type === 'sse' || type === 'ws' || type === 'tcp') return type;
  return url !== undefined ? 'http' : host !== undefined ? 'tcp' : 'stdio';
}

/** Reads a file of variables in the format of dotenv. Adds a mistake and returns none if it cannot be read. */
async function readEnvFile(
  file: unknown,
  path: readonly string[],
  directory: string,
  problems: string[],
): Promise<Readonly<Record<string, string>>> {
  const key = formatKey(path);
  if (typeof file !== 'string') {
    problems.push(`${key}: ${formatValue(file, path)} – expected the path of a file`);
    return {};
  }
  try {
    return parseEnv(await readTextFile(resolve(directory, file)));
  } catch (error) {
    const reason = isMissingFile(error) ? 'the file does not exist' : 'expected a readable file';
    problems.push(`${key}: ${formatValue(file, path)}, which cannot be read – ${reason}`);
    return {};
  }
}

function toServerOptions(
  { mapping, serverType, maxPollHz, sticky, connectTimeoutMs, ...options }: ServerOptions,
  replicas: readonly EndpointConfig[],
  defaultConnectTimeoutMs: number,
): Omit<ServerConfig, 'id' | 'endpoint'> {
  const isMapped = mapping !== undefined;
  return {
    ...options,
    serverType: serverType ?? (isMapped ? 'CUSTOM' : null),
    maxPollHz: maxPollHz ?? (isMapped ? MAPPED_POLL_HZ : DEFAULT_POLL_HZ),
    mapping: mapping ?? null,
    replicas,
    sticky: sticky ?? null,
    connectTimeoutMs: connectTimeoutMs ?? defaultConnectTimeoutMs,
  };
}
