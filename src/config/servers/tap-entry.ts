import type { ServerConfig } from '../config.js';
import { formatKey } from '../issues.js';

/**
 * Whether a command line is that of `swarmlens tap`, however that is started: somebody uses one file for both. It would
 * start a server of its own here, which shows nothing of the person's.
 */
export function isTapCommand({ endpoint }: Pick<ServerConfig, 'endpoint'>): boolean {
  if (endpoint.type !== 'stdio') return false;
  // A shell's command is one argument of many words.
  const words = [endpoint.command, ...endpoint.args].flatMap((word) => word.trim().split(/\s+/));
  const tap = words.indexOf('tap');
  const dashes = words.indexOf('--', tap);
  return tap > 0 && words.slice(tap, dashes).some((word) => /^--server(?:=|$)/.test(word));
}

export function tapWarning({ id }: Pick<ServerConfig, 'id'>): string {
  return `${formatKey(['mcpServers', id])}: is a tap, and is not started from here – it appears when the MCP client that this file belongs to starts it`;
}
