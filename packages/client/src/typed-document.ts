/**
 * The text of an operation that knows its types. At run time it is a plain string. `__apiType` is never there; by this
 * name other GraphQL clients recognise a typed document.
 */
export type TypedDocument<TResult, TVariables> = string & {
  readonly __apiType?: (variables: TVariables) => TResult;
};

/** What an operation answers with. */
export type ResultOf<TDocument> = TDocument extends TypedDocument<infer TResult, never> ? TResult : never;

/** What an operation must be given. */
export type VariablesOf<TDocument> = TDocument extends TypedDocument<unknown, infer TVariables> ? TVariables : never;
