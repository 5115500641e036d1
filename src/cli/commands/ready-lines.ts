import type { DiscoveryCandidate } from '../../model/index.js';

/** Returns the lines to print once `/readyz` answers with 200. */
export function formatReadyLines(url: string, suffix = ''): string {
  return `swarmlens is ready at ${url}/graphql${suffix}\nOpen ${url}/ in a browser to see the live graph.\n`;
}

/**
 * Returns a line that names the coding agents which are not observed, and how to show them. Empty if there are none.
 * @param command command that starts the server, to which flags can be appended
 */
export function formatUnobserved(agents: readonly DiscoveryCandidate[], command: string): string {
  const unobserved = agents.filter(({ serverId }) => serverId === null);
  if (unobserved.length === 0) return '';
  const places = unobserved.map(({ place }) => place).join(' and ');
  const all = agents.map(({ name }) => name).join(',');
  return `Found coding agents in ${places}. To show them: ${command} --observe ${all}\n`;
}
