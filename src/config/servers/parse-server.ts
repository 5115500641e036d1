import { resolve } from 'node:path';
import { parse as parseEnv } from 'dotenv';
import { z } from 'zod';
import { type ListedServer, normalizeEntry, readTextFile } from '../../client-files/index.js';
import type { EndpointConfig, UnusableEndpoint } from '../../mcp/index.js';
import { isServerName } from '../../model/index.js';
import type { ServerConfig } from '../config.js';
import { type Environment, expandVariables } from '../expand-variables.js';
import { didYouMean, formatKey, formatValue, isMissingFile } from '../issues.js';
import { ENTRY_KEYS, type ServerOptions, serverOptionsSchema } from '../schema.js';
import { backoffIssues, parseReplicas } from './parse-replicas.js';
import { type EntryProblems, parseServerEntry } from './server-entry.js';

const DEFAULT_POLL_HZ = 60;
/** Default poll rate of servers with a mapping. It is low, because the cost of their tools is unknown. */
const MAPPED_POLL_HZ = 10;

/** Options of a server whose entry has no `swarmlens`. */
export const DEFAULT_SERVER_OPTIONS = toServerOptions(serverOptionsSchema.parse({}), []);

const looseSchema = z.looseObject({});
const textsSchema = z.record(z.string(), z.string());

export interface ServerEntryContext {
  /** Directory that `cwd` and other paths are relative to. */
  readonly directory: string;
  readonly env: Environment;
  /** Receives the values that replace variables, by name. */
  readonly variables: Map<string, string>;
  /** Receives the mistakes in `swarmlens`, which prevent the start, one line each. */
  readonly problems: string[];
  /** Receives messages about entries and keys that are ignored, one line each. */
  readonly warnings: string[];
  /** Appends the place in the file to a message that begins with a key. */
  readonly addPlace: (message: string) => string;
}

/**
 * Parses one entry of a server list. An entry that cannot be used becomes a server with an unusable endpoint, so that it
 * is shown with the reason and does not affect the others. Returns null if the entry is disabled or has no valid name.
 */
export async function parseServer(
  { id, path, entry }: ListedServer,
  context: ServerEntryContext,
): Promise<ServerConfig | null> {
  const { directory, env, variables, warnings } = context;
  const key = formatKey(path);
  const problems: EntryProblems = { entry: [], options: context.problems };
  const loose = looseSchema.safeParse(entry);
  if (!loose.success) {
    problems.entry.push(`${key}: ${formatValue(entry, path)} – expected an object with "command", "url" or "host"`);
    return unusableServer(id, path, 'stdio', problems, context);
  }
  const normalized = normalizeEntry(loose.data, ENTRY_KEYS);
  if (normalized.isDisabled) return null;
  if (!isServerName(id))
    problems.entry.push(`${key}: expected a name of 1 to 64 characters without a colon or control characters`);
  const { fields, sourceKeys } = normalized;
  for (const { key: name, message } of normalized.obstacles)
    problems.entry.push(`${formatKey([...path, name])}: ${message}`);
  const unset = new Map<string, string>();
  const expansion = { problems: unset, variables };
  const scope = { directory, env };
  const fileEnv = await readEnvFile(expandVariables(normalized.envFile, [...path, 'envFile'], scope, expansion), {
    path,
    directory,
    problems: problems.entry,
  });
  const envKey = sourceKeys.get('env') ?? 'env';
  const entryEnv = expandVariables(fields['env'], [...path, envKey], { ...scope, entryEnv: fileEnv }, expansion);
  const known = textsSchema.safeParse(entryEnv);
  const expanded: Record<string, unknown> = looseSchema.parse(
    Object.fromEntries(
      Object.entries(fields).map(([field, value]) => [
        field,
        field === 'env'
          ? entryEnv
          : expandVariables(
              value,
              [...path, sourceKeys.get(field) ?? field],
              { ...scope, entryEnv: { ...fileEnv, ...known.data } },
              expansion,
            ),
      ]),
    ),
  );
  if (Object.keys(fileEnv).length > 0 && known.success) expanded['env'] = { ...fileEnv, ...known.data };
  const optionsKey = formatKey([...path, 'swarmlens']);
  for (const [name, message] of unset) problems[name.startsWith(optionsKey) ? 'options' : 'entry'].push(message);
  const location = { path, input: fields, sourceKeys, reported: new Set(unset.keys()), directory };
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
    return unusableServer(id, path, typeOf(fields), problems, context);
  }
  if (parsed === null) return null;
  warnings.push(...hints);
  const { endpoint, options } = parsed;
  const replicas = parseReplicas(options.replicas, location, problems.options);
  problems.options.push(...backoffIssues(options, path));
  const { mapping, serverType = 'CUSTOM' } = options;
  if (mapping !== undefined && serverType !== 'CUSTOM') {
    problems.options.push(
      `${formatKey([...path, 'swarmlens', 'mapping'])}: is for servers of type CUSTOM, but "serverType" is ${serverType} – remove one of the two`,
    );
  }
  return problems.options.length > optionProblems ? null : { id, endpoint, ...toServerOptions(options, replicas) };
}

/** Returns a server that is shown as offline with its mistakes as the reason. Null if it has no valid name. */
function unusableServer(
  id: string,
  path: readonly string[],
  transport: UnusableEndpoint['transport'],
  { entry }: EntryProblems,
  { warnings, addPlace }: ServerEntryContext,
): ServerConfig | null {
  const reason = entry.map(addPlace).join('; ');
  warnings.push(`${formatKey(path)}: is skipped – ${reason}`);
  return isServerName(id) ? { id, endpoint: { type: 'unusable', transport, reason }, ...DEFAULT_SERVER_OPTIONS } : null;
}

function typeOf({ type, url, host }: Readonly<Record<string, unknown>>): UnusableEndpoint['transport'] {
  if (type === 'http' || type === 'sse' || type === 'ws' || type === 'tcp') return type;
  return url !== undefined ? 'http' : host !== undefined ? 'tcp' : 'stdio';
}

/** Reads a file of variables in the format of dotenv. Adds a mistake and returns none if it cannot be read. */
async function readEnvFile(
  file: unknown,
  {
    path,
    directory,
    problems,
  }: { readonly path: readonly string[]; readonly directory: string; readonly problems: string[] },
): Promise<Readonly<Record<string, string>>> {
  if (file === null) return {};
  const key = formatKey([...path, 'envFile']);
  if (typeof file !== 'string') {
    problems.push(`${key}: ${formatValue(file, path)} – expected the path of a file`);
    return {};
  }
  try {
    return parseEnv(await readTextFile(resolve(directory, file)));
  } catch (error) {
    problems.push(
      `${key}: cannot be read – ${isMissingFile(error) ? 'the file does not exist' : 'expected a readable file'}`,
    );
    return {};
  }
}

function toServerOptions(
  { mapping, serverType, maxPollHz, sticky, ...options }: ServerOptions,
  replicas: readonly EndpointConfig[],
): Omit<ServerConfig, 'id' | 'endpoint'> {
  const isMapped = mapping !== undefined;
  return {
    ...options,
    serverType: serverType ?? (isMapped ? 'CUSTOM' : null),
    maxPollHz: maxPollHz ?? (isMapped ? MAPPED_POLL_HZ : DEFAULT_POLL_HZ),
    mapping: mapping ?? null,
    replicas,
    sticky: sticky ?? null,
  };
}
