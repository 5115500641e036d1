import type { ServerConfig } from '../config.js';
import { formatKey } from '../issues.js';

/**
 * Returns whether a server entry starts `swarmlens tap`, as in a file that the user shares with an MCP client. Started
 * by swarmlens, the tap would start a server of its own, which is not the one of the MCP client.
 */
export function isTapCommand({ endpoint }: Pick<ServerConfig, 'endpoint'>): boolean {
  if (endpoint.type !== 'stdio') return false;
  // `sh -c` has the whole command in one argument.
  const words = [endpoint.command, ...endpoint.args].flatMap((argument) => argument.trim().split(/\s+/));
  const tapIndex = words.indexOf('tap');
  const dashesIndex = words.indexOf('--', tapIndex);
  return tapIndex > 0 && words.slice(tapIndex, dashesIndex).some((word) => /^--server(?:=|$)/.test(word));
}

export function tapWarning({ id }: Pick<ServerConfig, 'id'>): string {
  return `${formatKey(['mcpServers', id])}: is a tap and is not started by swarmlens – it appears when an MCP client starts it`;
}
