// The program's schema with plain resolvers, for the stock servers: values are plain objects, so that graphql's own
// default resolvers do, which are the cheapest there are.
import { readFileSync } from 'node:fs';
import { matching } from './update.js';

export const typeDefs = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');

/** @param subscribe as a resolver, to an async iterable of updates */
export function resolversWith(subscribe) {
  return {
    Subscription: {
      agentUpdates: {
        subscribe,
        resolve: (update, args) => {
          const agents = matching(update.agents, args);
          return agents === update.agents ? update : { ...update, agents };
        },
      },
    },
  };
}

/** `first`, then the rest; less work for each value than a generator. */
export function startingWith(first, rest) {
  const iterator = rest[Symbol.asyncIterator]();
  let greeted = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (greeted) return iterator.next();
      greeted = true;
      return Promise.resolve({ done: false, value: first });
    },
    return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
  };
}
