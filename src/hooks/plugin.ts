import { createHooks, type HookOptions } from './program-hooks.js';

/** Directory of the plugin in this repository and in the package. */
export const PLUGIN_DIRECTORY = 'integrations/claude-code';

/** Returns the files of the plugin for Claude Code by their paths in its directory. */
export function createPlugin(version: string, options: HookOptions): Readonly<Record<string, string>> {
  const files = {
    '.claude-plugin/plugin.json': {
      name: 'swarmlens',
      version,
      description:
        'Reports permission waits, questions and tool calls to swarmlens at once, and lists the agents of this machine',
      license: 'MIT',
      keywords: ['agents', 'monitoring', 'swarm'],
    },
    'hooks/hooks.json': {
      description: 'Sends events to the observers of swarmlens on this machine',
      hooks: createHooks('claude-code', options),
    },
    '.mcp.json': { mcpServers: { swarmlens: { command: 'swarmlens', args: ['observe', 'claude-code'] } } },
  };
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => [path, `${JSON.stringify(content, null, 2)}\n`]),
  );
}
