import { SwarmlensError } from '../shared/index.js';
import type { OtherNodes, Ownership } from './ownership.js';

const NOBODY: OtherNodes = {
  serverIds: [],
  health: () => null,
  poll: () => Promise.resolve(false),
  callTool: (serverId) => Promise.reject(nobodyWatches(serverId)),
};

/** There is one process, and it watches what it is asked to, at once. */
export const soleOwner: Ownership = {
  claim(_serverId, claim) {
    claim.gained();
    return { settled: Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };
  },
  others: NOBODY,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** What is answered when a server is between two nodes, or was given up by the one that had it. */
export function nobodyWatches(serverId: string): SwarmlensError {
  const message = `Server "${serverId}" is watched by no node just now: try again in a few seconds.`;
  return new SwarmlensError('SERVER_UNAVAILABLE', message, { serverId });
}
