/**
 * Text of a GraphQL operation with the types of its result and variables. A plain string at run time: `__apiType` is never
 * set. Other GraphQL clients recognize a typed document by that name.
 */
export type TypedDocument<TResult, TVariables> = string & {
  readonly __apiType?: (variables: TVariables) => TResult;
};

/** Type of a document's result. */
export type ResultOf<TDocument> = TDocument extends TypedDocument<infer TResult, never> ? TResult : never;

/** Type of a document's variables. */
export type VariablesOf<TDocument> = TDocument extends TypedDocument<unknown, infer TVariables> ? TVariables : never;
