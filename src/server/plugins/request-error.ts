import type { GraphQLError } from 'graphql';
import { type ErrorCode, SwarmlensError } from '../../shared/index.js';

/** HTTP status of each error code, for requests without a result. */
const STATUS_BY_CODE: ReadonlyMap<unknown, RejectionStatus> = new Map<ErrorCode, RejectionStatus>([
  ['BAD_USER_INPUT', 422],
  ['LIMIT_EXCEEDED', 422],
  ['UNAUTHENTICATED', 401],
  ['FORBIDDEN', 403],
  ['RATE_LIMITED', 429],
  ['SERVER_UNAVAILABLE', 503],
]);

/** Returns the HTTP status of an error code: 500 for an unexpected error. */
export function toStatus(code: unknown): RejectionStatus {
  return STATUS_BY_CODE.get(code) ?? 500;
}

/** Statuses with which requests are rejected before they are routed, with their error codes. */
const CODE_BY_STATUS = {
  400: 'BAD_USER_INPUT',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'BAD_USER_INPUT',
  405: 'BAD_USER_INPUT',
  408: 'LIMIT_EXCEEDED',
  422: 'BAD_USER_INPUT',
  429: 'RATE_LIMITED',
  431: 'LIMIT_EXCEEDED',
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVER_UNAVAILABLE',
} as const;

export type RejectionStatus = keyof typeof CODE_BY_STATUS;

/** Returns the body of a rejected request as a GraphQL response. */
export function toRejectionError(
  status: RejectionStatus,
  reason: string,
): Pick<GraphQLError, 'message' | 'extensions'> {
  return { message: reason, extensions: { code: CODE_BY_STATUS[status] } };
}

/** Error of a request that runs no operation, with the status and headers of the response. */
export class RequestError extends SwarmlensError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, status: number, headers: Readonly<Record<string, string>> = {}) {
    super(code, message);
    this.status = status;
    this.headers = headers;
  }
}
