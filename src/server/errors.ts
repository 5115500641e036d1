import type { Plugin } from 'graphql-yoga';
import { type DocumentNode, GraphQLError, type GraphQLErrorOptions, Kind, visit } from 'graphql';
import { SwarmlensError } from '../shared/index.js';

/** What a client is told of an error: its own mistakes in full, ours not at all. */
export function maskError(error: unknown): Error {
  const original = error instanceof GraphQLError ? error.originalError : error;
  if (original instanceof SwarmlensError) {
    return new GraphQLError(original.message, {
      ...located(error),
      extensions: { code: original.code, ...original.details },
    });
  }
  if (error instanceof GraphQLError && isRequestError(error)) {
    error.extensions['code'] ??= 'BAD_USER_INPUT';
    return error;
  }
  return new GraphQLError('Internal server error. It has been logged.', {
    ...located(error),
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}

/** graphql's own: the operation or its variables are wrong, and the message says how. Resolvers' errors have a path. */
function isRequestError({ originalError, path }: GraphQLError): boolean {
  return originalError == null || (path === undefined && originalError instanceof GraphQLError);
}

/** Whether a client can do something about it: such errors are answered, not logged. */
export function isClientError(error: unknown): boolean {
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  return original instanceof SwarmlensError || original instanceof GraphQLError;
}

/** Gives every error of parsing, validation and variables its code, and says which argument it is about. */
export function useInputErrors(): Plugin {
  return {
    onParse() {
      return ({ result }) => {
        if (result instanceof GraphQLError) result.extensions['code'] ??= 'BAD_USER_INPUT';
      };
    },
    onValidate({ params }) {
      return ({ result }) => explain(result, documentOf(params.documentAST));
    },
    onExecute({ args }) {
      return {
        onExecuteDone({ result }) {
          if ('errors' in result) explain(result.errors ?? [], documentOf(args.document));
        },
      };
    },
    onSubscribe({ args }) {
      return {
        onSubscribeResult({ result }) {
          if ('errors' in result) explain(result.errors ?? [], documentOf(args.document));
        },
      };
    },
  };
}

function documentOf(document: unknown): DocumentNode {
  return document as DocumentNode; // envelop leaves it untyped, because the parser is a plugin's to choose
}

/** Errors are changed in place, because Yoga puts its own notes on the same objects. */
function explain(errors: readonly unknown[], document: DocumentNode): void {
  for (const error of errors) {
    if (!(error instanceof GraphQLError) || !isRequestError(error)) continue;
    error.extensions['code'] = 'BAD_USER_INPUT';
    const argument = argumentOf(error, document);
    // An error that is kept with its document comes by more than once.
    if (argument === null || error.extensions['argument'] === argument) continue;
    error.extensions['argument'] = argument;
    error.message = `Argument "${argument}": ${error.message}`;
  }
}

/** The argument that holds what an error points at, or that takes the variable it points at. */
function argumentOf(error: GraphQLError, document: DocumentNode): string | null {
  const node = error.nodes?.[0];
  if (node?.loc === undefined) return null;
  const { start, end } = node.loc;
  const variable = node.kind === Kind.VARIABLE_DEFINITION ? node.variable.name.value : null;
  let found: string | null = null;
  visit(document, {
    Argument(argument) {
      const holds = argument.loc !== undefined && argument.loc.start <= start && end <= argument.loc.end;
      if (holds || (variable !== null && usesVariable(argument, variable))) found ??= argument.name.value;
    },
  });
  return found;
}

function usesVariable(node: Parameters<typeof visit>[0], name: string): boolean {
  let found = false;
  visit(node, {
    Variable(variable) {
      found ||= variable.name.value === name;
    },
  });
  return found;
}

/** Where in the operation and in the result the error arose. */
function located(error: unknown): Pick<GraphQLErrorOptions, 'nodes' | 'source' | 'positions' | 'path'> {
  if (!(error instanceof GraphQLError)) return {};
  const { nodes = null, source = null, positions = null, path = null } = error;
  return { nodes, source, positions, path };
}
