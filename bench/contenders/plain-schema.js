// Schema of swarmlens with plain resolvers for the other servers. Values are plain objects, so that graphql's default
// resolvers, which are the cheapest, are sufficient.
import { readFileSync } from 'node:fs';
import { filterAgents } from './update.js';

export const typeDefs = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');

/** @param subscribe resolver that returns an async iterable of updates */
export function createResolvers(subscribe) {
  return {
    Subscription: {
      agentUpdates: {
        subscribe,
        resolve: (update, args) => {
          const agents = filterAgents(update.agents, args);
          return agents === update.agents ? update : { ...update, agents };
        },
      },
    },
  };
}

/** Iterates over `first` and then `rest`. Cheaper per value than a generator. */
export function prepend(first, rest) {
  const iterator = rest[Symbol.asyncIterator]();
  let hasSentFirst = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (hasSentFirst) return iterator.next();
      hasSentFirst = true;
      return Promise.resolve({ done: false, value: first });
    },
    return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
  };
}
