import { z } from 'zod';
import { wholeNumberSchema } from './issues.js';

const count = wholeNumberSchema(1, 1_000_000_000);
const bytes = wholeNumberSchema(1_024, 1_000_000_000, 'bytes, a whole number');
const timeoutMs = wholeNumberSchema(10, 3_600_000, 'milliseconds, a whole number');
/** Levels of nesting. Bounded because graphql-armor recurses once per level. */
const levels = wholeNumberSchema(1, 1_000);

/** Schema of `swarmlens.limits`. A very large number disables a limit. */
export const limitsSchema = z.strictObject({
  maxConnections: count
    .default(10_000)
    .describe('Maximum number of TCP connections. Above: HTTP 503; WebSockets are closed with 1013.'),
  maxConnectionsPerAddress: count
    .default(2_000)
    .describe(
      'Maximum number of TCP connections of one IP address, or of one IPv6 /64 network. Behind a proxy, all clients have the address of the proxy. Above: HTTP 429; WebSockets are closed with 1013.',
    ),
  maxConnectionsPerViewer: count
    .default(2_000)
    .describe(
      'Maximum number of WebSockets of one viewer, or of one address or IPv6 /64 network without authentication. Above: closed with 1013.',
    ),
  maxRequestsPerSecond: count
    .default(200)
    .describe(
      'Maximum number of operations per second of one viewer, or of one address or IPv6 /64 network without authentication, over HTTP, SSE and WebSocket together. Requests for GraphiQL and `/metrics` and failed authentications count, too. Above: HTTP 429 or an error, with code `RATE_LIMITED` and `retryAfterMs`.',
    ),
  maxActionsPerAddress: count
    .default(10)
    .describe(
      'Maximum number of `refreshDiscovery` and of `requestAgentUpdate` per second of one address or IPv6 /64 network without authentication. In addition, each connection without authentication and each viewer may use each of them once per second. Above: code `RATE_LIMITED`.',
    ),
  maxHeaderBytes: bytes.default(16_384).describe('Maximum size of the URL and headers of a request. Above: HTTP 431.'),
  headersTimeoutMs: timeoutMs
    .default(10_000)
    .describe('Time within which the headers of a request or upgrade must arrive. Afterwards: HTTP 408.'),
  requestTimeoutMs: timeoutMs
    .default(30_000)
    .describe('Time within which a complete request must arrive. Afterwards: HTTP 408.'),
  maxBodyBytes: bytes
    .default(262_144)
    .describe('Maximum size of a request body. Above: HTTP 413 with code `LIMIT_EXCEEDED`.'),
  connectionInitTimeoutMs: timeoutMs
    .default(5_000)
    .describe('Time within which `connection_init` must arrive. Afterwards: closed with 4408.'),
  maxMessageBytes: bytes
    .default(262_144)
    .describe(
      'Maximum size of one WebSocket message. Above: closed with 1009. Eight times as many bytes may wait while the client does not read its answers.',
    ),
  maxMessageFragments: count
    .default(1_024)
    .describe('Maximum number of frames of one WebSocket message. Above: closed with 1008.'),
  maxMessagesPerSecond: count
    .default(100)
    .describe(
      'Maximum number of messages per second on one WebSocket, including pings. Unused messages of the last five seconds may be used later. Operations also count for `maxRequestsPerSecond`. Above: closed with 1013.',
    ),
  maxOperationsPerSocket: count
    .default(200)
    .describe('Maximum number of concurrent operations on one WebSocket. Above: code `LIMIT_EXCEEDED`.'),
  maxSubscriptionsPerSocket: count
    .default(100)
    .describe('Maximum number of concurrent subscriptions on one WebSocket. Above: code `LIMIT_EXCEEDED`.'),
  maxSubscriptionsPerViewer: count
    .default(4_000)
    .describe(
      'Maximum number of concurrent subscriptions of one viewer, or of one address or IPv6 /64 network without authentication, over WebSocket and SSE. Above: code `LIMIT_EXCEEDED`.',
    ),
  maxDocumentBytes: bytes
    .default(16_384)
    .describe('Maximum size of the text of an operation. Above: code `LIMIT_EXCEEDED`.'),
  maxDocumentTokens: count
    .default(1_000)
    .describe('Maximum number of tokens in an operation. Above: code `LIMIT_EXCEEDED`.'),
  maxDepth: levels.default(12).describe('Maximum nesting of fields. Above: code `LIMIT_EXCEEDED`.'),
  maxAliases: count.default(32).describe('Maximum number of aliases. Above: code `LIMIT_EXCEEDED`.'),
  maxDirectives: count.default(32).describe('Maximum number of directives. Above: code `LIMIT_EXCEEDED`.'),
  maxDuplicateFields: count
    .default(10)
    .describe(
      'Maximum number of occurrences of one field in one selection, including fragments. Above: code `LIMIT_EXCEEDED`.',
    ),
  maxCost: count
    .default(2_000)
    .describe(
      'Maximum cost of an operation: 1 for a field, 2 for a field with subfields, multiplied by 1.5 per level. Above: code `LIMIT_EXCEEDED`.',
    ),
  maxAnswerValues: count
    .default(500_000)
    .describe(
      'Maximum number of values in one answer, and in each update of a subscription that selects links: each item of a list counts each field that the operation selects of it. Above: code `LIMIT_EXCEEDED`.',
    ),
  maxUpdateValues: count
    .default(3_000_000)
    .describe(
      'Maximum number of values in the first update of a subscription of agents or tasks without links, counted like those of an answer. Above: code `LIMIT_EXCEEDED`.',
    ),
  maxUnreadAnswers: count
    .default(4)
    .describe(
      'Maximum number of queries over HTTP that run or whose answers are not read completely, of one viewer, or of one address or IPv6 /64 network without authentication. Further queries wait. Over a WebSocket, one query runs at a time.',
    ),
  // A cursor of version 0.1.0 alone may have 250,000 bytes.
  maxVariablesBytes: bytes.default(253_952).describe('Maximum size of the variables. Above: code `LIMIT_EXCEEDED`.'),
  maxVariablesDepth: levels
    .default(64)
    .describe('Maximum nesting of lists and objects in the variables. Above: code `LIMIT_EXCEEDED`.'),
  maxAgentsPerServer: count
    .default(10_000)
    .describe(
      'Maximum number of agents of one server, of its swarms, of its tasks, and of the entries of any list that is read from it; and half the maximum number of its edges. Above: the first ones are shown, and a notice `AGENT_REJECTED` counts the others.',
    ),
  introspection: z
    .boolean()
    .default(true)
    .describe('Whether clients may query the schema. Otherwise: code `FORBIDDEN`.'),
  graphiql: z.boolean().default(true).describe('Whether browsers get GraphiQL. Otherwise: HTTP 404.'),
});

/** Limits of clients. `limitsSchema` describes each of them. */
export type Limits = Readonly<z.output<typeof limitsSchema>>;

export const DEFAULT_LIMITS: Limits = limitsSchema.parse({});

export const LIMIT_KEYS: readonly string[] = Object.keys(limitsSchema.shape);
