import { createGraphQLError, type Plugin } from 'graphql-yoga';

/** Reports invalid JSON in the URL parameters `variables` and `extensions` as a client error. Yoga reports a server error. */
export function useRequestSyntax(): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser }) {
      if (requestParser === undefined) return;
      setRequestParser(async (request) => {
        try {
          return await requestParser(request);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          throw createGraphQLError('Invalid JSON in the URL. "variables" and "extensions" must be JSON.', {
            extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
          });
        }
      });
    },
  };
}
