import { stat } from 'node:fs/promises';
import { guessServerType } from '../../adapters/index.js';
import { createCandidate, type DiscoveryCandidate } from '../../model/index.js';
import { type CodingAgent, observerArguments } from '../../observer-format/index.js';
import type { EndpointLocation } from './endpoint-identity.js';

/** Lists the coding agents whose directories exist, and the servers that observe them. */
export async function discoverCodingAgents(
  agents: readonly CodingAgent[],
  known: readonly { readonly id: string; readonly endpoint: EndpointLocation }[],
): Promise<readonly DiscoveryCandidate[]> {
  const candidates = await Promise.all(
    agents.map(async ({ source, directory }) => {
      const isInstalled = await stat(directory).then(
        (stats) => stats.isDirectory(),
        () => false,
      );
      if (!isInstalled) return null;
      const type = guessServerType('swarmlens', observerArguments(source));
      const observer = known.find(({ endpoint: { command, args = [] } }) => {
        return command !== undefined && guessServerType(command, args) === type;
      });
      const candidate = { place: directory, name: source, type, transport: 'STDIO' } as const;
      if (observer !== undefined) return createCandidate({ ...candidate, status: 'CONFIGURED', serverId: observer.id });
      const detail = `not observed; to show it: swarmlens serve --observe ${source}, or "observe": ["${source}"] under "swarmlens"`;
      return createCandidate({ ...candidate, status: 'LISTED', detail });
    }),
  );
  return candidates.filter((candidate) => candidate !== null);
}
