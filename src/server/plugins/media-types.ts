import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';

export const JSON_TYPE = 'application/json; charset=utf-8';
export const GRAPHQL_RESPONSE_TYPE = 'application/graphql-response+json; charset=utf-8';
export const EVENT_STREAM_TYPE = 'text/event-stream; charset=utf-8';
export const HTML_TYPE = 'text/html; charset=utf-8';
export const PLAIN_TYPE = 'text/plain; charset=utf-8';

/** Media types of results. Of equally preferred ones, the first is used: JSON if the client accepts everything. */
const RESULT_TYPES = [JSON_TYPE, GRAPHQL_RESPONSE_TYPE, EVENT_STREAM_TYPE] as const;

/** Maximum number of characters of `Accept` that are read. Browsers and libraries send up to 300. */
const MAX_ACCEPT_LENGTH = 2_048;

/** Media types of results that a client accepts, by the quality values of its `Accept` header. */
export interface AcceptedTypes {
  /** Most preferred type. Null if none is acceptable. */
  readonly preferred: (typeof RESULT_TYPES)[number] | null;
  /** Type of an error without data: `application/graphql-response+json` unless the client accepts it and prefers JSON. */
  readonly errorType: typeof JSON_TYPE | typeof GRAPHQL_RESPONSE_TYPE;
  /** Whether streams are acceptable. */
  readonly acceptsEventStream: boolean;
}

type Request = Pick<IncomingMessage, 'headers'>;

export function readAcceptedTypes(request: Request): AcceptedTypes {
  const accepted = negotiate(request, RESULT_TYPES);
  const json = accepted.find((type) => type !== EVENT_STREAM_TYPE);
  return {
    preferred: accepted[0] ?? null,
    errorType: accepted.includes(GRAPHQL_RESPONSE_TYPE) && json !== undefined ? json : GRAPHQL_RESPONSE_TYPE,
    acceptsEventStream: accepted.includes(EVENT_STREAM_TYPE),
  };
}

/** Returns whether a client prefers a page to every type of result. */
export function prefersPage(request: Request): boolean {
  return negotiate(request, [...RESULT_TYPES, HTML_TYPE])[0] === HTML_TYPE;
}

/** Returns whether a client prefers a text to a GraphQL response. */
export function prefersText(request: Request): boolean {
  const [preferred = PLAIN_TYPE] = negotiate(request, [PLAIN_TYPE, HTML_TYPE, ...RESULT_TYPES]);
  return preferred === PLAIN_TYPE || preferred === HTML_TYPE;
}

/** Returns the acceptable ones of the available types, the most preferred one first. */
function negotiate<T extends string>({ headers: { accept = '' } }: Request, available: readonly T[]): T[] {
  const header = accept.trim() === '' ? '*/*' : truncate(accept);
  const accepted = new Negotiator({ headers: { accept: header } }).mediaTypes(available);
  return accepted.flatMap((type) => available.find((candidate) => candidate === type) ?? []);
}

function truncate(accept: string): string {
  return accept.length <= MAX_ACCEPT_LENGTH ? accept : accept.slice(0, accept.lastIndexOf(',', MAX_ACCEPT_LENGTH));
}
