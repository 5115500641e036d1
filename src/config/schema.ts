import { z } from 'zod';
import type { ServerMapping } from '../adapters/index.js';
import { DEFAULT_PROBE_TIMEOUT_MS, isServerName, MCP_SERVER_TYPES } from '../model/index.js';
import { OBSERVED_SOURCES } from '../observer-format/index.js';
import { parseRedisUrl, REDIS_URL_FORMATS, type RedisAddress } from '../shared/index.js';
import type { BreakerOptions, RestartOptions } from '../upstream/index.js';
import { AUTH_KEYS, authSchema } from './auth.js';
import { didYouMean, wholeNumberSchema } from './issues.js';
import { documentedAs } from './json-schema.js';
import { LIMIT_KEYS, limitsSchema } from './limits.js';
import { mappingSchema } from './mapping.js';
import {
  argumentSchema,
  CREDENTIALS_ERROR,
  envSchema,
  hasValidCredentials,
  headersSchema,
  hostSchema,
} from './wire-values.js';

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;

const durationMs = wholeNumberSchema(1, 3_600_000, 'milliseconds, a whole number');

const MAX_REPLICAS = 32;
/** Longest time that a timer can wait, rounded down: 23 days. */
const MAX_TIMER_MS = 2_000_000_000;

const SHARE_ERROR = 'expected a number above 0, at most 1';
const POLL_HZ_ERROR = 'expected a number above 0, at most 1000';
const PREFIX_ERROR = 'expected 1 to 64 letters, digits, dots, hyphens or underscores';
const BUS_ERROR = `expected memory, or a URL of Redis: ${REDIS_URL_FORMATS}`;
const TAP_NAME_ERROR = 'expected the name of a tapped server as the key, 1 to 64 characters without a colon';
/** Values that `observe` accepts. */
export const OBSERVE_ERROR = `expected ${OBSERVED_SOURCES.join(' or ')}`;
const OBSERVE_LIST_ERROR = `expected a list of ${OBSERVED_SOURCES.join(', ')}, each at most once`;
const BUS_KEY_ERROR = 'expected 32 to 512 characters, for example the output of openssl rand -base64 32';
export const TYPE_ERROR = 'expected stdio, http, sse, tcp or ws';

const stdioShape = {
  type: z
    .literal('stdio', { error: 'expected stdio, because there is a "command"' })
    .optional()
    .describe('Transport. Optional, because `command` implies it.'),
  command: argumentSchema.min(1).describe('Program to start.'),
  args: z.array(argumentSchema).default([]).describe('Arguments of the program.'),
  cwd: argumentSchema.min(1).default('.').describe('Working directory, relative to the configuration file.'),
  env: envSchema
    .default({})
    .describe('Environment variables in addition to HOME, LOGNAME, PATH, SHELL, TERM and USER.'),
};

const httpShape = {
  type: z
    .enum(['http', 'sse'], { error: TYPE_ERROR })
    .default('http')
    .describe('Transport: `http` for MCP streamable HTTP, `sse` for the older HTTP transport with an event stream.'),
  url: z
    .url({
      protocol: /^https?$/,
      error: ({ input }) =>
        typeof input === 'string' && /^wss?:/i.test(input)
          ? 'expected a URL with http:// or https://, or "type": "ws"'
          : 'expected a URL with http:// or https://, or ws:// or wss:// for a WebSocket',
      abort: true,
    })
    .refine(hasValidCredentials, { error: CREDENTIALS_ERROR })
    .describe('URL of the endpoint, with `http://` or `https://`.'),
  headers: headersSchema.default({}).describe('Headers of each request.'),
};

const wsShape = {
  type: z.literal('ws', { error: TYPE_ERROR }).optional().describe('Transport. Optional, because the URL implies it.'),
  url: z
    .url({ protocol: /^wss?$/, error: 'expected a URL with ws:// or wss://', abort: true })
    .refine(hasValidCredentials, { error: CREDENTIALS_ERROR })
    .describe('URL of the endpoint, with `ws://` or `wss://`.'),
  headers: headersSchema.default({}).describe('Headers of the request that opens the WebSocket.'),
};

const tcpShape = {
  type: z
    .literal('tcp', { error: 'expected tcp, because there is a "host"' })
    .optional()
    .describe('Transport. Optional, because `host` implies it.'),
  host: hostSchema.describe('Host name or IP address.'),
  port: wholeNumberSchema(1, 65_535).describe('Port of the server, which receives one JSON-RPC message per line.'),
  token: z.string().min(1).optional().describe('Token for servers that require one before the MCP handshake.'),
};

/** Accepts any value, because `parseReplicas` parses each replica by itself. */
const replicaSchema = documentedAs(
  z.unknown(),
  'replica',
  [stdioShape, httpShape, wsShape, tcpShape].map((shape) => z.looseObject(shape)),
);

const breakerSchema = z.strictObject({
  failures: wholeNumberSchema(1, 1_000)
    .default(5)
    .describe('Number of consecutive failed calls that open the circuit breaker.'),
  initialMs: durationMs.default(1_000).describe('Time until the first probe. Doubles with each failed probe.'),
  maxMs: durationMs.default(30_000).describe('Maximum time between two probes.'),
}) satisfies z.ZodType<BreakerOptions>;

const restartSchema = z.strictObject({
  initialMs: durationMs
    .default(500)
    .describe('Delay after the first failed attempt. Doubles with each further one; half of it is random.'),
  maxMs: durationMs.default(30_000).describe('Maximum delay between two attempts.'),
  maxAttempts: wholeNumberSchema(1, 1_000_000, 'null or a whole number')
    .nullable()
    .default(20)
    .describe('Number of consecutive failed starts after which a command is not started again; `null` for no limit.'),
}) satisfies z.ZodType<RestartOptions>;

/** Schema of `swarmlens` in one server entry. */
export const serverOptionsSchema = z.strictObject({
  serverType: z
    .enum(MCP_SERVER_TYPES)
    .optional()
    .describe('Server type. Detected from the name and the tools of the server by default.'),
  maxPollHz: z
    .number({ error: POLL_HZ_ERROR })
    .positive({ error: POLL_HZ_ERROR })
    .max(1_000, { error: POLL_HZ_ERROR })
    .optional()
    .describe('Maximum number of polls per second. By default 60, and 10 for a server with a `mapping`.'),
  allowTools: z
    .array(z.string().min(1))
    .default([])
    .describe('Names of the tools that clients may call with `callTool`.'),
  timeoutMs: durationMs.default(3_000).describe('Timeout of one call, including its retries.'),
  connectTimeoutMs: durationMs
    .optional()
    .describe(
      'Timeout of starting the server and of the handshake: by default 120000 for a command, because `npx` may have to install a package first, and 30000 otherwise. Output of a command on its standard error starts the timeout again, and it doubles after each start that took too long. A start takes at most five times as long.',
    ),
  mapping: mappingSchema.optional().describe('Mapping that reads the agents of any other server.'),
  maxPollShare: z
    .number({ error: SHARE_ERROR })
    .positive({ error: SHARE_ERROR })
    .max(1, { error: SHARE_ERROR })
    .default(0.5)
    .describe(
      "Maximum share of the server's time that polls may take. A server that answers slowly is polled less often.",
    ),
  replicas: z
    .array(replicaSchema)
    .max(MAX_REPLICAS, { error: `expected at most ${MAX_REPLICAS} entries` })
    .default([])
    .describe('Further endpoints of the same server. Each is an entry as in `mcpServers`, without `swarmlens`.'),
  sticky: z
    .boolean()
    .optional()
    .describe(
      'Whether all calls go to one replica until it fails. Otherwise calls are balanced over all replicas. Depends on the server type by default.',
    ),
  breaker: breakerSchema.prefault({}).describe('Options of the circuit breaker of each endpoint.'),
  restart: restartSchema.prefault({}).describe('Options of reconnects and restarts of each endpoint.'),
});

export type ServerOptions = z.output<typeof serverOptionsSchema>;

/** Keys of `breaker` and `restart`. */
const BACKOFF_KEYS = [...Object.keys(breakerSchema.shape), ...Object.keys(restartSchema.shape)];

const entryShape = {
  swarmlens: serverOptionsSchema.prefault({}).describe('Options of the server that only swarmlens reads.'),
  disabled: z.boolean().optional().describe('Whether the entry is ignored.'),
};

/** Schemas of one server entry. They accept unknown keys, because other programs read the same file. */
export const stdioServerSchema = z.looseObject({ ...stdioShape, ...entryShape });
export const httpServerSchema = z.looseObject({ ...httpShape, ...entryShape });
export const wsServerSchema = z.looseObject({ ...wsShape, ...entryShape });
export const tcpServerSchema = z.looseObject({ ...tcpShape, ...entryShape });

/** Keys of a server entry that swarmlens reads. */
export const ENTRY_KEYS: readonly string[] = [
  ...new Set([stdioShape, httpShape, wsShape, tcpShape, entryShape].flatMap((shape) => Object.keys(shape))),
];

const busSchema = z.string({ error: BUS_ERROR }).transform((text, context): 'memory' | RedisAddress => {
  const address = text === 'memory' ? text : parseRedisUrl(text);
  if (address !== null) return address;
  context.addIssue({ code: 'custom', message: BUS_ERROR });
  return z.NEVER;
});

/** Schema of `swarmlens` beside `mcpServers`. */
export const swarmlensOptionsSchema = z.strictObject({
  port: wholeNumberSchema(0, 65_535).default(4_000).describe('Port to listen on; 0 picks a free port.'),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. Only loopback addresses are allowed without `auth`.'),
  bus: busSchema
    .prefault('memory')
    .describe(
      'Bus between nodes: `memory` for a single node, or the URL of a Redis: `redis://[user:password@]host[:port][/db]`, `redis+sentinel://[:password@]host:port,host:port/master[/db]` or `redis+cluster://[:password@]host:port,host:port`, each also with `rediss` for TLS.',
    ),
  busPrefix: z
    .string()
    .regex(/^[\w.-]{1,64}$/, { error: PREFIX_ERROR })
    .default('swarmlens')
    .describe('Prefix of all keys and channels in Redis. Nodes with the same prefix form one cluster.'),
  busKeys: z
    .array(z.string({ error: BUS_KEY_ERROR }).min(32, { error: BUS_KEY_ERROR }).max(512, { error: BUS_KEY_ERROR }))
    .refine(({ length }) => length <= 8, { error: 'expected at most 8 keys' })
    .default([])
    .describe(
      'Keys with which nodes authenticate each other over Redis. The first one signs, all are accepted. Without a key, `callTool` is refused for servers that another node owns.',
    ),
  busTls: z
    .strictObject({
      caFile: z
        .string()
        .min(1)
        .optional()
        .describe('Path of the certificates that may sign the one of Redis, as PEM. Those of Node.js by default.'),
      certFile: z.string().min(1).optional().describe('Path of the certificate of this node, as PEM.'),
      keyFile: z.string().min(1).optional().describe('Path of the private key of `certFile`, as PEM.'),
    })
    .optional()
    .describe('Files for TLS, relative to the configuration file. Require a `bus` with `rediss`.'),
  leaseMs: wholeNumberSchema(200, 600_000, 'milliseconds, a whole number')
    .default(2_000)
    .describe(
      'Time after which other nodes take over the servers of a node that stopped renewing its leases. Half of it marks them as stale.',
    ),
  logLevel: z.enum(LOG_LEVELS).default('warn').describe('Minimum level of the JSON log on standard error.'),
  observe: z
    .array(z.enum(OBSERVED_SOURCES, { error: OBSERVE_ERROR }), { error: OBSERVE_LIST_ERROR })
    .superRefine((sources, context) => {
      for (const [index, source] of sources.entries())
        if (sources.indexOf(source) < index)
          context.addIssue({ code: 'custom', path: [index], message: OBSERVE_LIST_ERROR });
    })
    .default([])
    .describe(
      'Coding agents of this machine to observe. Each becomes a server with its name as the id, as if `swarmlens observe` was in `mcpServers`.',
    ),
  otlpEndpoint: z
    .string()
    .optional()
    .describe(
      'URL of an OpenTelemetry collector that receives traces as OTLP over HTTP with JSON; `/v1/traces` is appended. No traces by default.',
    ),
  auth: authSchema.prefault({}).describe('Authentication. Every client on this machine is accepted by default.'),
  limits: limitsSchema.prefault({}).describe('Limits of clients.'),
  trustedDocuments: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Path of a manifest, relative to the configuration file. Only its documents are executed. All documents are executed by default.',
    ),
  tapKeyFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Path of the key that taps must know, relative to the configuration file. `SWARMLENS_TAP_KEY_FILE` overrides it. By default `swarmlens/tap.key` in `XDG_STATE_HOME` (`~/.local/state`) of the user, or in `%APPDATA%` on Windows.',
    ),
  tapMappings: z
    .record(z.string(), mappingSchema)
    .superRefine((mappings, context) => {
      for (const name of Object.keys(mappings).filter((key) => !isServerName(key)))
        context.addIssue({ code: 'custom', path: [name], message: TAP_NAME_ERROR });
    })
    .default({})
    .transform((mappings): ReadonlyMap<string, ServerMapping> => new Map(Object.entries(mappings)))
    .describe(
      'Mappings of tapped servers, by the name given to `swarmlens tap --server`. A second session of the server, such as `NAME-2`, has the same mapping.',
    ),
  heartbeatMs: durationMs.default(5_000).describe('Time between two polls of a server without subscriptions.'),
  tombstones: wholeNumberSchema(0, 10_000_000)
    .default(2_000)
    .describe('Number of removals that are remembered, so that clients can resume after them without a snapshot.'),
  shutdownMs: durationMs
    .default(5_000)
    .describe(
      'Maximum duration of a shutdown. Clients are asked to leave during the first half and disconnected after three quarters. Child processes are ended afterwards.',
    ),
  removeAfterMs: wholeNumberSchema(1, MAX_TIMER_MS, 'null or milliseconds, a whole number')
    .nullable()
    .default(300_000)
    .describe(
      'Time after which the agents of an offline server are removed; `null` keeps them forever, marked `stale`.',
    ),
  discovery: z
    .strictObject({
      hosts: z.array(z.string().min(1)).max(16).default(['localhost']).describe('Hosts to probe.'),
      ports: z
        .array(wholeNumberSchema(1, 65_535))
        .max(64)
        // Ports of VisionFlow's bridges and of the DAA server.
        .default([9500, 9501, 9502, 3001, 3002])
        .describe('Ports to probe on each host.'),
      probeTimeoutMs: durationMs
        .default(DEFAULT_PROBE_TIMEOUT_MS)
        .describe('Time that a server has to answer a probe. A server that needs longer is listed as UNREACHABLE.'),
    })
    .prefault({})
    .describe('Discovery of servers that are not in the configuration.'),
  compressFromBytes: wholeNumberSchema(0, 1_000_000_000, 'null or bytes, a whole number')
    .nullable()
    .default(512)
    .describe(
      'Minimum size in bytes of updates and of answers over HTTP to compress, for clients that request `permessage-deflate` or accept `br` or `gzip`; `null` disables compression.',
    ),
  maxBufferedBytes: wholeNumberSchema(0, 1_000_000_000, 'bytes, a whole number')
    .default(524_288)
    .describe(
      'Maximum number of unsent bytes, and half the maximum number of unread bytes, of one client. A client above it receives no updates and no further answers over its WebSocket until it catches up, and then one conflated update.',
    ),
  maxSlowMs: wholeNumberSchema(1, 86_400_000, 'null or milliseconds, a whole number')
    .nullable()
    .default(60_000)
    .describe(
      'Time after which a client that does not catch up, does not answer a ping, or does not read an answer or event stream is disconnected. WebSockets are closed with 1013, so that their clients reconnect with their cursors; `null` for no limit.',
    ),
});

export type SwarmlensOptions = z.output<typeof swarmlensOptionsSchema>;

/**
 * Schema of a file of swarmlens, for its JSON Schema. Files of MCP clients have other shapes, and server entries and
 * `swarmlens` are parsed separately after the expansion of variables.
 */
export const configFileSchema = z.looseObject({
  $schema: z.string().optional().describe('JSON Schema of this file, for editors.'),
  mcpServers: z
    .record(
      z.string(),
      documentedAs(z.unknown(), 'server', [stdioServerSchema, httpServerSchema, wsServerSchema, tcpServerSchema]),
    )
    .describe('Servers by id. An id has 1 to 64 characters without a colon.'),
  swarmlens: documentedAs(z.unknown(), 'swarmlens', [swarmlensOptionsSchema])
    .optional()
    .describe('Options of swarmlens.'),
});

/** Returns a hint for an unknown key of `swarmlens` beside `mcpServers`. */
export function suggestOption(key: string): string {
  if (Object.hasOwn(serverOptionsSchema.shape, key)) return `, it belongs under a server's own "swarmlens"`;
  return didYouMean(key, [...Object.keys(swarmlensOptionsSchema.shape), ...AUTH_KEYS, ...LIMIT_KEYS]);
}

/** Returns a hint for an unknown key of `swarmlens` in a server entry. */
export function suggestServerOption(key: string): string {
  if (Object.hasOwn(swarmlensOptionsSchema.shape, key)) return ', it belongs under "swarmlens" beside "mcpServers"';
  return didYouMean(key, [...Object.keys(serverOptionsSchema.shape), ...BACKOFF_KEYS]);
}
