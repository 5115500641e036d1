import { createGraphQLError, type Plugin } from 'graphql-yoga';

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
          throw createGraphQLError('"variables" and "extensions" in a URL must be JSON.', {
            extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
          });
        }
      });
    },
  };
}
