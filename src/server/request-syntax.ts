import type { Plugin } from 'graphql-yoga';
import { SwarmlensError } from '../shared/index.js';

/** Yoga reads `variables` and `extensions` of a URL as JSON, and takes what is none for a failure of the server's. */
export function useRequestSyntax(): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser }) {
      if (requestParser === undefined) return;
      setRequestParser(async (request) => {
        try {
          return await requestParser(request);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          throw new SwarmlensError('BAD_USER_INPUT', '"variables" and "extensions" in a URL must be JSON.');
        }
      });
    },
  };
}
