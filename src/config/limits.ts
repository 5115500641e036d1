import { z } from 'zod';
import type { Limits } from '../limits/index.js';
import { wholeNumberSchema } from './whole-number.js';

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
