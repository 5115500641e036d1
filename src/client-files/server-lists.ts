import { isTable, type Table } from './table.js';

/** Entry of a server in a configuration file. */
export interface ListedServer {
  readonly id: string;
  /** Path of the entry in the file. */
  readonly path: readonly string[];
  readonly entry: unknown;
}

export interface ServerLists {
  readonly servers: readonly ListedServer[];
  /** Keys of the file that contain a list. Empty if there is none. */
  readonly keys: readonly string[];
  /** Messages about entries that are ignored, one line each. */
  readonly warnings: readonly string[];
}

/**
 * Paths of server lists in the files of MCP clients. The first one is ours, and that of Claude Code, Claude Desktop, Cursor,
 * Gemini CLI, Windsurf and others.
 */
const LIST_PATHS: readonly (readonly string[])[] = [
  ['mcpServers'],
  // VS Code, in `mcp.json` and in its settings.
  ['servers'],
  ['mcp', 'servers'],
  // Zed
  ['context_servers'],
  // Codex
  ['mcp_servers'],
  // Amp
  ['amp.mcpServers'],
  // Augment
  ['augment.advanced', 'mcpServers'],
  // Continue
  ['experimental', 'modelContextProtocolServers'],
  // OpenCode and Crush
  ['mcp'],
];

/** Keys of the top level that contain a server list. */
export const LIST_KEYS: readonly string[] = [...new Set(LIST_PATHS.flatMap(([key]) => key ?? []))];

/** Keys of which each entry of a server has at least one. */
const ADDRESS_KEYS = ['command', 'url', 'serverUrl', 'httpUrl', 'host'];

/** Returns the servers of all lists in a file. A name that occurs again is ignored with a warning. */
export function readServerLists(file: Table): ServerLists {
  const servers = new Map<string, ListedServer>();
  const keys: string[] = [];
  const warnings: string[] = [];
  for (const path of LIST_PATHS) {
    const list = listAt(file, path);
    // `mcp` of VS Code contains the list `servers`, `mcp` of OpenCode is the list.
    if (list === null || (path.join() === 'mcp' && keys.includes('mcp'))) continue;
    keys.push(path[0] ?? '');
    for (const [key, id, entry] of list) {
      const entryPath = [...path, key];
      const found = servers.get(id);
      if (found === undefined) servers.set(id, { id, path: entryPath, entry });
      else warnings.push(`${entryPath.join('.')}: is ignored, because ${found.path.join('.')} has the same name`);
    }
  }
  const projects = valueAt(file, ['projects']);
  for (const [project, value] of isTable(projects) ? Object.entries(projects) : []) {
    const list = isTable(value) ? valueAt(value, ['mcpServers']) : undefined;
    const count = isTable(list) ? Object.keys(list).length : 0;
    if (count > 0)
      warnings.push(
        `projects.${JSON.stringify(project)}.mcpServers: is ignored – copy the ${count === 1 ? 'server' : 'servers'} of the project to "mcpServers"`,
      );
  }
  return keys.length === 0 ? readBareList(file, warnings) : { servers: [...servers.values()], keys, warnings };
}

/** Reads a file that is a list itself, as that of Warp: every key beside those of swarmlens is the name of a server. */
function readBareList(file: Table, warnings: readonly string[]): ServerLists {
  const entries = Object.entries(file).filter(([key]) => !['$schema', 'inputs', 'swarmlens'].includes(key));
  const isList =
    entries.length > 0 &&
    entries.every(([, entry]) => isTable(entry) && ADDRESS_KEYS.some((key) => Object.hasOwn(entry, key)));
  if (!isList) return { servers: [], keys: [], warnings };
  const servers = entries.map(([id, entry]) => ({ id, path: [id], entry }));
  return { servers, keys: entries.map(([id]) => id), warnings };
}

/** Entries of a list with their keys and names. */
type ListEntries = readonly (readonly [key: string, id: string, entry: unknown])[];

function listAt(file: Table, path: readonly string[]): ListEntries | null {
  const list = valueAt(file, path);
  // A list that is null is empty.
  if (list === null) return [];
  if (Array.isArray(list))
    return list.map((item: unknown, index) => {
      const name = isTable(item) ? item['name'] : undefined;
      return [String(index), typeof name === 'string' ? name : `server-${index + 1}`, item];
    });
  // `mcp` of OpenCode may contain a server with the name "servers", which is an entry and not a list.
  if (!isTable(list) || (path.length > 1 && ADDRESS_KEYS.some((key) => key in list && !isTable(list[key]))))
    return null;
  return Object.entries(list).map(([id, entry]) => [id, id, entry]);
}

function valueAt(file: Table, path: readonly string[]): unknown {
  let value: unknown = file;
  for (const key of path) {
    if (!isTable(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}
