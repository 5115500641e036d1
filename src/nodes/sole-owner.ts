import { SwarmlensError } from '../shared/index.js';
import type { RemoteServers, Ownership } from './ownership.js';

const NOBODY: RemoteServers = {
  serverIds: [],
  health: () => null,
  poll: () => Promise.resolve(false),
  callTool: (serverId) => Promise.reject(noOwnerError(serverId)),
};

/** There is one process, and it watches what it is asked to, at once. */
export const singleNodeOwnership: Ownership = {
  claim(_serverId, claim) {
    claim.onAcquired();
    return { decided: Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };
  },
  remote: NOBODY,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** What is answered when a server is between two nodes, or was given up by the one that had it. */
export function noOwnerError(serverId: string): SwarmlensError {
  const message = `Server "${serverId}" is watched by no node just now: try again in a few seconds.`;
  return new SwarmlensError('SERVER_UNAVAILABLE', message, { serverId });
}
