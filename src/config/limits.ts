import { z } from 'zod';
import { wholeNumberSchema } from './issues.js';

const COUNT = wholeNumberSchema(1, 1_000_000_000);
const BYTES = wholeNumberSchema(1_024, 1_000_000_000, 'bytes, a whole number');
const WAIT_MS = wholeNumberSchema(10, 3_600_000, 'milliseconds, a whole number');
/** graphql-armor counts levels by calling itself. */
const LEVELS = wholeNumberSchema(1, 1_000);

const SHAPE = {
  maxConnections: COUNT,
  maxConnectionsPerAddress: COUNT,
  maxConnectionsPerViewer: COUNT,
  maxRequestsPerSecond: COUNT,
  maxHeaderBytes: BYTES,
  headersTimeoutMs: WAIT_MS,
  requestTimeoutMs: WAIT_MS,
  maxBodyBytes: BYTES,
  connectionInitTimeoutMs: WAIT_MS,
  maxMessageBytes: BYTES,
  maxMessageFragments: COUNT,
  maxMessagesPerSecond: COUNT,
  maxOperationsPerSocket: COUNT,
  maxSubscriptionsPerSocket: COUNT,
  maxSubscriptionsPerViewer: COUNT,
  maxDocumentBytes: BYTES,
  maxDocumentTokens: COUNT,
  maxDepth: LEVELS,
  maxAliases: COUNT,
  maxDirectives: COUNT,
  maxDuplicateFields: COUNT,
  maxCost: COUNT,
  maxVariablesBytes: BYTES,
  maxVariablesDepth: LEVELS,
  introspection: z.boolean(),
  graphiql: z.boolean(),
} satisfies { readonly [K in keyof Limits]: z.ZodType<Limits[K]> };

/** What may stand under `swarmlens.limits`; what is left out has its default. */
export const limitsSchema = z.strictObject(SHAPE).partial();

export const LIMIT_KEYS: readonly string[] = Object.keys(SHAPE);

/** How much clients may ask for. Whole numbers from 1 on; a very large one is as good as none. */
export interface Limits {
  /** Connections of any kind, over TCP, all clients together; above: 503, and a WebSocket is closed with 1013. */
  readonly maxConnections: number;
  /** Of one address, of IPv6 one network of 64 bits; above: 429, and a WebSocket is closed with 1013. Behind a proxy all clients have the proxy's address. */
  readonly maxConnectionsPerAddress: number;
  /** WebSockets of one viewer, or of one address where nobody says who they are; closed with 1013 above. */
  readonly maxConnectionsPerViewer: number;
  /** HTTP requests to `/graphql` of one viewer, or address; 429 above. */
  readonly maxRequestsPerSecond: number;
  /** Of an HTTP request or an upgrade, with its URL; 431 above. */
  readonly maxHeaderBytes: number;
  /** Until the headers are there, of an upgrade too; 408 afterwards. */
  readonly headersTimeoutMs: number;
  /** Until a request is there as a whole; 408 afterwards. */
  readonly requestTimeoutMs: number;
  /** Of a request; 413 above. */
  readonly maxBodyBytes: number;
  /** Until `connection_init`; closed with 4408 afterwards. */
  readonly connectionInitTimeoutMs: number;
  /** Of one WebSocket message; closed with 1009 above. */
  readonly maxMessageBytes: number;
  /** That one WebSocket message may come in; closed with 1008 above. */
  readonly maxMessageFragments: number;
  /** Of one WebSocket, pings included; what was not used is saved up for five seconds. Closed with 1013 above. */
  readonly maxMessagesPerSecond: number;
  /** Of one WebSocket at a time, subscriptions included. */
  readonly maxOperationsPerSocket: number;
  readonly maxSubscriptionsPerSocket: number;
  /** Of one viewer, or address, over WebSocket and SSE. */
  readonly maxSubscriptionsPerViewer: number;
  readonly maxDocumentBytes: number;
  readonly maxDocumentTokens: number;
  /** Levels of fields. */
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxDirectives: number;
  /** Times that one field stands in one place, fragments included. */
  readonly maxDuplicateFields: number;
  /** By graphql-armor: 1 for a field, 2 for one with fields of its own, times 1.5 for each level. */
  readonly maxCost: number;
  /** A cursor alone may have 250,000. */
  readonly maxVariablesBytes: number;
  /** Levels of lists and objects. */
  readonly maxVariablesDepth: number;
  /** Whether the schema may be asked for. */
  readonly introspection: boolean;
  /** Whether browsers get GraphiQL. */
  readonly graphiql: boolean;
}

export const DEFAULT_LIMITS: Limits = {
  maxConnections: 10_000,
  maxConnectionsPerAddress: 2_000,
  maxConnectionsPerViewer: 2_000,
  maxRequestsPerSecond: 200,
  maxHeaderBytes: 16_384,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  maxBodyBytes: 262_144,
  connectionInitTimeoutMs: 5_000,
  maxMessageBytes: 262_144,
  maxMessageFragments: 1_024,
  maxMessagesPerSecond: 100,
  maxOperationsPerSocket: 200,
  maxSubscriptionsPerSocket: 100,
  maxSubscriptionsPerViewer: 4_000,
  maxDocumentBytes: 16_384,
  maxDocumentTokens: 1_000,
  maxDepth: 12,
  maxAliases: 32,
  maxDirectives: 32,
  maxDuplicateFields: 10,
  maxCost: 2_000,
  maxVariablesBytes: 253_952,
  maxVariablesDepth: 64,
  introspection: true,
  graphiql: true,
};
