import { z } from 'zod';

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
  // OpenCode and Crush
  ['mcp'],
];

/** Keys of the top level that contain a server list. */
export const LIST_KEYS: readonly string[] = [...new Set(LIST_PATHS.flatMap(([key]) => key ?? []))];

const objectSchema = z.record(z.string(), z.unknown());
const projectsSchema = z.looseObject({ mcpServers: z.record(z.string(), z.unknown()) });

/** Returns the servers of all lists in a file. A name that occurs again is ignored with a warning. */
export function readServerLists(file: Readonly<Record<string, unknown>>): ServerLists {
  const servers = new Map<string, ListedServer>();
  const keys: string[] = [];
  const warnings: string[] = [];
  for (const path of LIST_PATHS) {
    const list = listAt(file, path);
    // `mcp` of VS Code contains the list `servers`, `mcp` of OpenCode is the list.
    if (list === null || (path.join() === 'mcp' && keys.includes('mcp'))) continue;
    keys.push(path[0] ?? '');
    for (const [id, entry] of Object.entries(list)) {
      const found = servers.get(id);
      if (found === undefined) servers.set(id, { id, path: [...path, id], entry });
      else warnings.push(`${[...path, id].join('.')}: is ignored, because ${found.path.join('.')} has the same name`);
    }
  }
  const projects = objectSchema.safeParse(file['projects']).data ?? {};
  for (const [project, value] of Object.entries(projects)) {
    const count = Object.keys(projectsSchema.safeParse(value).data?.mcpServers ?? {}).length;
    if (count > 0)
      warnings.push(
        `projects.${JSON.stringify(project)}.mcpServers: is ignored – copy the ${count === 1 ? 'server' : 'servers'} of the project to "mcpServers"`,
      );
  }
  return { servers: [...servers.values()], keys, warnings };
}

function listAt(file: Readonly<Record<string, unknown>>, path: readonly string[]): Record<string, unknown> | null {
  let value: unknown = file;
  for (const key of path) {
    const parent = objectSchema.safeParse(value).data;
    if (parent === undefined || !Object.hasOwn(parent, key)) return null;
    value = parent[key];
  }
  // A list that is null is empty.
  return value === null ? {} : (objectSchema.safeParse(value).data ?? null);
}
