import { type DocumentNode, type ExecutionResult, GraphQLError, type GraphQLErrorOptions, Kind, visit } from 'graphql';
import { handleStreamOrSingleExecutionResult, type Plugin } from 'graphql-yoga';
import type { SchemaContext } from '../../schema/index.js';
import { SwarmlensError, type Logger } from '../../shared/index.js';

/** Yoga's own, for requests in which there is no operation to be told. */
const YOGAS_CODES: ReadonlySet<unknown> = new Set(['BAD_REQUEST', 'OPERATION_RESOLUTION_FAILURE']);

/** What an error arose in. */
export interface ErrorOrigin {
  /** Made here, never a client's own. */
  readonly requestId: string;
  /** Who asked: whom the token is for, or the address. */
  readonly clientId?: string | null;
}

/** What a client is told of an error: its own mistakes in full, ours not at all, but with an id under which the log has it. */
export class ErrorMasker {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @returns the same error when it has been through here before */
  mask(error: unknown, { requestId, clientId = null }: ErrorOrigin): GraphQLError {
    const original = error instanceof GraphQLError ? error.originalError : error;
    if (original instanceof SwarmlensError) {
      return new GraphQLError(original.message, {
        ...located(error),
        extensions: { code: original.code, ...original.details },
      });
    }
    if (error instanceof GraphQLError && isRequestError(error)) {
      const code = error.extensions['code'] ?? null;
      if (code === null || YOGAS_CODES.has(code)) error.extensions['code'] = 'BAD_USER_INPUT';
      return error;
    }
    const { path } = located(error);
    this.#logger.error({ requestId, clientId, path, error: detailsOf(original ?? error) }, 'operation failed');
    return new GraphQLError('Internal server error. It has been logged.', {
      ...located(error),
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId },
    });
  }
}

function detailsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** graphql's own: the operation or its variables are wrong, and the message says how. Resolvers' errors have a path. */
function isRequestError({ originalError, path }: GraphQLError): boolean {
  return originalError == null || (path === undefined && originalError instanceof GraphQLError);
}

/** Masks what operations answer, each with the id of its own request. */
export function useErrorMasking(mask: ErrorMasker): Plugin<SchemaContext> {
  const maskResult = ({ args, result, setResult }: ResultOf): void => {
    if (result.errors === undefined) return;
    const { requestId, clientId } = args.contextValue;
    const errors = result.errors.map((error) => mask.mask(error, { requestId, clientId }));
    setResult({ ...result, errors });
  };
  return {
    onPluginInit({ registerContextErrorHandler }) {
      registerContextErrorHandler(({ error, context, setError }) => setError(mask.mask(error, placeOf(context))));
    },
    onExecute: () => ({
      onExecuteDone: (payload) => handleStreamOrSingleExecutionResult(payload, maskResult),
    }),
    onSubscribe({ args }) {
      const { requestId, clientId } = args.contextValue;
      return {
        onSubscribeResult: (payload) => handleStreamOrSingleExecutionResult(payload, maskResult),
        onSubscribeError({ error, setError }) {
          // Nobody is there any more to be told.
          if (error instanceof Error && error.name === 'AbortError') return;
          setError(mask.mask(error, { requestId, clientId }));
        },
      };
    },
  };
}

interface ResultOf {
  readonly args: { readonly contextValue: SchemaContext };
  readonly result: ExecutionResult;
  readonly setResult: (result: ExecutionResult) => void;
}

/** Of a context that could not be completed: what the server has put into it stands there from the beginning. */
function placeOf(context: unknown): ErrorOrigin {
  return context as ErrorOrigin; // see `RequestContext`
}

/** Gives every error of parsing, validation and variables its code, and says which argument it is about. */
export function useInputErrorCodes(): Plugin {
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
    // What has been masked already is of some kind.
    if ((error.extensions['code'] ??= 'BAD_USER_INPUT') !== 'BAD_USER_INPUT') continue;
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
