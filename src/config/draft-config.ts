import { basename } from 'node:path';
import {
  isTable,
  type ListedServer,
  normalizeEntry,
  parseDocument,
  readServerLists,
  readTextFile,
  type Table,
  urlTypeOf,
} from '../client-files/index.js';
import type { DiscoveryCandidate } from '../model/index.js';
import { OBSERVED_SOURCES } from '../observer-format/index.js';
import { errorMessage } from '../shared/index.js';
import { collectSecrets } from '../shared/sanitize/index.js';
import type { ServerConfig } from './config.js';
import type { Environment } from './expand-variables.js';
import { isMissingFile } from './issues.js';
import { parseConfigText } from './load-config.js';
import { ENTRY_KEYS } from './schema.js';
import { duplicateWarning, removeDuplicateServers } from './servers/duplicate-servers.js';
import { deriveServerId, toServerId } from './servers/server-id.js';
import { isTapCommand } from './servers/tap-entry.js';

export interface DraftSources {
  /** Absolute path of the file that the draft is for. */
  readonly file: string;
  /** Configuration file of an MCP client in the same directory, which need not exist. */
  readonly clientFile: string;
  /** Servers that were found on ports. */
  readonly candidates: readonly DiscoveryCandidate[];
  readonly env: Environment;
}

/** Draft of a configuration file. */
export interface ConfigDraft {
  /** Entries by the ids of their servers. They contain no secrets. */
  readonly entries: ReadonlyMap<string, object>;
  /** Servers of the entries. */
  readonly servers: readonly ServerConfig[];
  /** Reasons for which servers are left out or have another name, one line each. */
  readonly notes: readonly string[];
}

/** Reference to a variable without a default, which could be a secret itself. */
const REFERENCE = /\$\{(?:env:)?[A-Za-z_]\w*\}|\{env:[A-Za-z_]\w*\}/g;
/** Words before the credentials in a header. */
const SCHEME = /^\s*(?:bearer|basic|token)\s*$/i;

/**
 * Drafts a configuration from the file of an MCP client and the servers on ports. Replaces secret variables of entries by
 * references, and leaves out entries with other secrets and those that would be mistakes.
 */
export async function draftConfig(sources: DraftSources): Promise<ConfigDraft> {
  const { clientFile, candidates } = sources;
  const notes: string[] = [];
  const entries = new Map<string, object>();
  const servers: ServerConfig[] = [];
  const add = async (name: string, entry: object): Promise<void> => {
    // The observers of coding agents have these ids.
    const taken = new Set<string>([...entries.keys(), ...OBSERVED_SOURCES]);
    const id = taken.has(name) ? deriveServerId(name, taken) : toServerId(name, taken);
    const server = await parseEntry(id, entry, sources);
    if (typeof server === 'string') {
      notes.push(skipped(name, server));
      return;
    }
    const { duplicates } = removeDuplicateServers([...servers, server]);
    if (duplicates.length > 0) {
      notes.push(...duplicates.map(duplicateWarning));
      return;
    }
    if (id !== name)
      notes.push(`Named ${JSON.stringify(name)} ${JSON.stringify(id)}, because the name is taken or invalid.`);
    entries.set(id, entry);
    servers.push(server);
  };
  for (const listed of await readClientFile(clientFile, notes)) {
    const result = toEntry(listed, sources);
    if (typeof result === 'string') notes.push(skipped(listed.id, result));
    else await add(listed.id, result);
  }
  for (const { place, name, status, entry } of candidates) {
    if (entry === null) continue;
    if (status === 'AVAILABLE') await add(name ?? place, entry);
    else notes.push(skipped(place, 'it requires authentication. Add it with a token from a variable'));
  }
  return { entries, servers, notes };
}

function skipped(name: string, reason: string): string {
  return `Skipped ${JSON.stringify(name)}: ${reason}.`;
}

async function readClientFile(file: string, notes: string[]): Promise<readonly ListedServer[]> {
  try {
    const { value } = parseDocument(await readTextFile(file), file);
    const lists = readServerLists(isTable(value) ? value : {});
    notes.push(...lists.warnings);
    return lists.servers;
  } catch (error) {
    if (!isMissingFile(error)) notes.push(`Skipped ${file}: ${errorMessage(error)}.`);
    return [];
  }
}

/** Returns the entry to write, or the reason why there is none. */
function toEntry({ entry }: ListedServer, { clientFile, env }: DraftSources): object | string {
  if (!isTable(entry)) return 'the entry is not an object';
  const { isDisabled, fields, envFile, obstacles } = normalizeEntry(entry, {
    knownKeys: ENTRY_KEYS,
    urlType: urlTypeOf(clientFile),
  });
  if (isDisabled) return 'it is disabled';
  const [obstacle] = obstacles;
  if (obstacle !== undefined) return `"${obstacle.key}" ${obstacle.message}`;
  const variables = referToVariables(fields['env'], env);
  if (typeof variables === 'string') return variables;
  const draft: Table = {
    ...fields,
    ...(variables !== undefined && { env: variables }),
    ...(envFile !== null && { envFile }),
  };
  const secretKey = Object.keys(draft).find((key) => containsSecret({ [key]: draft[key] }));
  if (secretKey === undefined) return draft;
  return `"${secretKey}" may contain a secret. Write a variable such as \${TOKEN} instead of the value in ${basename(clientFile)}, or add the server yourself`;
}

/** Replaces secret values by references to variables of the same names. Returns the reason if a variable is not set. */
function referToVariables(entryEnv: unknown, env: Environment): unknown {
  if (!isTable(entryEnv)) return entryEnv;
  const secretNames = Object.keys(entryEnv).filter((name) => containsSecret({ env: { [name]: entryEnv[name] } }));
  const unset = secretNames.find((name) => !Object.hasOwn(env, name) || env[name] === '');
  if (unset !== undefined)
    return `"env.${unset}" may be a secret. Set the environment variable ${unset}, to which the file then refers, and run the command again`;
  return { ...entryEnv, ...Object.fromEntries(secretNames.map((name) => [name, `\${${name}}`])) };
}

function containsSecret(value: unknown): boolean {
  return [...collectSecrets(value)].some((secret) => {
    const rest = secret.replace(REFERENCE, '');
    return rest.trim() !== '' && !SCHEME.test(rest);
  });
}

/** Returns the server of an entry, or the reason why `serve` would not use it. */
async function parseEntry(id: string, entry: object, { file, env }: DraftSources): Promise<ServerConfig | string> {
  const problems: string[] = [];
  const { servers, warnings } = await parseConfigText(
    JSON.stringify({ mcpServers: { [id]: entry } }),
    file,
    env,
    problems,
  );
  const [server] = servers;
  if (server !== undefined && problems.length === 0) {
    if (server.endpoint.type !== 'unusable') {
      return isTapCommand(server) ? 'it is a tap, which appears when its MCP client starts it' : server;
    }
  }
  const unusable = server?.endpoint.type === 'unusable' ? server.endpoint.reason : undefined;
  const reason = problems[0] ?? unusable ?? warnings.at(-1) ?? 'the entry cannot be used';
  // The line refers to a text that is not shown.
  return reason.replaceAll(` (${file}, line 1)`, '');
}

/** Formats the content of the file. */
export function formatDraft({ entries }: ConfigDraft, observed: readonly string[]): string {
  const document = {
    mcpServers: Object.fromEntries(entries),
    ...(observed.length > 0 && { swarmlens: { observe: observed } }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
