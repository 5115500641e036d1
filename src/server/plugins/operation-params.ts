import { z } from 'zod';
import { RequestError } from './request-error.js';

const MAP_ERROR = 'must be an object';
const TEXT_ERROR = 'must be a string';
const text = z.string({ error: TEXT_ERROR }).nullish();
const map = z.record(z.string(), z.unknown(), { error: MAP_ERROR }).nullish();

/** Parameters of GraphQL over HTTP. Other properties are ignored, as the specification requires. */
const operationParamsSchema = z.object(
  { query: text, operationName: text, variables: map, extensions: map, documentId: text },
  { error: 'must be a JSON object' },
);

/** Parameters of an operation over HTTP. */
export interface OperationParams {
  readonly query?: string;
  readonly operationName?: string;
  readonly variables?: Record<string, unknown>;
  readonly extensions?: Record<string, unknown>;
  /** Id of a trusted document. */
  readonly documentId?: string;
}

/**
 * Validates the parameters of an operation.
 * @throws RequestError BAD_USER_INPUT naming the parameter
 */
export function parseOperationParams(value: unknown): OperationParams {
  const result = operationParamsSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    const name = issue?.path[0];
    const subject = name === undefined ? 'The request' : `"${String(name)}"`;
    throw new RequestError('BAD_USER_INPUT', `${subject} ${issue?.message ?? 'is invalid'}.`, 422);
  }
  const { query, operationName, variables, extensions, documentId } = result.data;
  return {
    ...(query != null && { query }),
    // The empty string is equivalent to no name.
    ...(operationName != null && operationName !== '' && { operationName }),
    ...(variables != null && { variables }),
    ...(extensions != null && { extensions }),
    ...(documentId != null && { documentId }),
  };
}

/**
 * Parses the parameters in the query of a URL.
 * @throws RequestError BAD_USER_INPUT naming the parameter
 */
export function parseUrlParams(search: string): OperationParams {
  const params = new URLSearchParams(search);
  const textOf = (name: string): string | null => {
    const value = params.get(name);
    return value === '' ? null : value;
  };
  const jsonOf = (name: string): unknown => {
    const value = textOf(name);
    try {
      return value === null ? null : JSON.parse(value);
    } catch {
      throw new RequestError('BAD_USER_INPUT', `Invalid JSON in the URL parameter "${name}".`, 400);
    }
  };
  return parseOperationParams({
    query: textOf('query'),
    operationName: textOf('operationName'),
    documentId: textOf('documentId'),
    variables: jsonOf('variables'),
    extensions: jsonOf('extensions'),
  });
}
