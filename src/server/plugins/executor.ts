import { execute, subscribe } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Executes operations with graphql. The executor of Yoga moves fields that are not resolved at once behind the others. */
export function useExecutor(): Plugin {
  return {
    onExecute: ({ setExecuteFn }) => setExecuteFn(execute),
    onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscribe),
  };
}
