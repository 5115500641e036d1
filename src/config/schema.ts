import { z } from 'zod';
import { MCP_SERVER_TYPES } from '../model/index.js';
import { parseRedisUrl, REDIS_URL_FORMATS, type RedisAddress } from '../shared/index.js';
import { AUTH_KEYS, authSchema } from './auth.js';
import { LOG_LEVELS } from './config.js';
import { LIMIT_KEYS, limitsSchema } from './limits.js';
import { MAPPING_KEYS, mappingSchema } from './mapping.js';
import { didYouMean, wholeNumberSchema } from './issues.js';

const DURATION_MS = wholeNumberSchema(1, 3_600_000, 'milliseconds, a whole number');
const SHARE_ERROR = 'expected a number above 0, at most 1';
const POLL_HZ_ERROR = 'expected a number above 0, at most 1000';

const MAX_REPLICAS = 32;

const PREFIX_ERROR = 'expected 1 to 64 letters, digits, dots, hyphens or underscores';

const BUS_ERROR = `expected memory, or a URL of Redis: ${REDIS_URL_FORMATS}`;
const BUS = z.string({ error: BUS_ERROR }).transform((text, context): 'memory' | RedisAddress => {
  const address = text === 'memory' ? text : parseRedisUrl(text);
  if (address !== null) return address;
  context.addIssue({ code: 'custom', message: BUS_ERROR });
  return z.NEVER;
});

/** Longer than that no timer can wait: 23 days. */
const MAX_TIMER_MS = 2_000_000_000;

export const serverOptionsSchema = z.strictObject({
  serverType: z.enum(MCP_SERVER_TYPES).optional(),
  maxPollHz: z
    .number({ error: POLL_HZ_ERROR })
    .positive({ error: POLL_HZ_ERROR })
    .max(1_000, { error: POLL_HZ_ERROR })
    .optional(),
  allowTools: z.array(z.string().min(1)).optional(),
  timeoutMs: DURATION_MS.optional(),
  connectTimeoutMs: DURATION_MS.optional(),
  mapping: mappingSchema.optional(),
  maxPollShare: z
    .number({ error: SHARE_ERROR })
    .positive({ error: SHARE_ERROR })
    .max(1, { error: SHARE_ERROR })
    .optional(),
  /** Entries of their own, which are looked at one by one. */
  replicas: z
    .array(z.unknown())
    .max(MAX_REPLICAS, { error: `expected at most ${MAX_REPLICAS} entries` })
    .optional(),
  sticky: z.boolean().optional(),
  breaker: z
    .strictObject({
      failures: wholeNumberSchema(1, 1_000).optional(),
      initialMs: DURATION_MS.optional(),
      maxMs: DURATION_MS.optional(),
    })
    .optional(),
  restart: z
    .strictObject({
      initialMs: DURATION_MS.optional(),
      maxMs: DURATION_MS.optional(),
      maxAttempts: wholeNumberSchema(1, 1_000_000, 'null or a whole number').nullable().optional(),
    })
    .optional(),
});

/** Of `breaker` and `restart`. */
const PAUSE_KEYS = ['failures', 'initialMs', 'maxMs', 'maxAttempts'];

/** Keys that other programs read from the same file are let through. */
const SHARED = { swarmlens: serverOptionsSchema.optional(), disabled: z.boolean().optional() };
const STRINGS = z.record(z.string(), z.string());

export const stdioServerSchema = z.looseObject({
  type: z.literal('stdio', { error: 'expected stdio, because there is a "command"' }).optional(),
  command: z.string().min(1),
  args: z.array(z.string()).optional(),
  cwd: z.string().min(1).optional(),
  env: STRINGS.optional(),
  ...SHARED,
});

const TYPE_ERROR = 'expected stdio, http, sse, tcp or ws';

export const httpServerSchema = z.looseObject({
  type: z.enum(['http', 'sse'], { error: TYPE_ERROR }).optional(),
  url: z.url({
    protocol: /^https?$/,
    error: ({ input }) =>
      typeof input === 'string' && /^wss?:/i.test(input)
        ? 'expected a URL with http:// or https://, or "type": "ws"'
        : 'expected a URL with http:// or https://, or ws:// or wss:// for a WebSocket',
  }),
  headers: STRINGS.optional(),
  ...SHARED,
});

export const wsServerSchema = z.looseObject({
  type: z.literal('ws', { error: TYPE_ERROR }).optional(),
  url: z.url({ protocol: /^wss?$/, error: 'expected a URL with ws:// or wss://' }),
  headers: STRINGS.optional(),
  ...SHARED,
});

export const tcpServerSchema = z.looseObject({
  type: z.literal('tcp', { error: 'expected tcp, because there is a "host"' }).optional(),
  host: z.string().min(1),
  port: wholeNumberSchema(1, 65_535),
  token: z.string().min(1).optional(),
  ...SHARED,
});

/** What of an entry is ours to read. */
export const ENTRY_KEYS = [
  'type',
  'command',
  'args',
  'cwd',
  'env',
  'url',
  'headers',
  'host',
  'port',
  'token',
  'swarmlens',
  'disabled',
];

export const swarmlensOptionsSchema = z.strictObject({
  port: wholeNumberSchema(0, 65_535).optional(),
  host: z.string().min(1).optional(),
  bus: BUS.optional(),
  busPrefix: z
    .string()
    .regex(/^[\w.-]{1,64}$/, { error: PREFIX_ERROR })
    .optional(),
  leaseMs: wholeNumberSchema(200, 600_000, 'milliseconds, a whole number').optional(),
  logLevel: z.enum(LOG_LEVELS).optional(),
  otlpEndpoint: z.string().optional(),
  auth: authSchema.optional(),
  limits: limitsSchema.optional(),
  trustedDocuments: z.string().min(1).optional(),
  heartbeatMs: DURATION_MS.optional(),
  tombstones: wholeNumberSchema(0, 10_000_000).optional(),
  shutdownMs: DURATION_MS.optional(),
  removeAfterMs: wholeNumberSchema(1, MAX_TIMER_MS, 'null or milliseconds, a whole number').nullable().optional(),
  discovery: z
    .strictObject({
      hosts: z.array(z.string().min(1)).max(16).optional(),
      ports: z.array(wholeNumberSchema(1, 65_535)).max(64).optional(),
    })
    .optional(),
  compressFromBytes: wholeNumberSchema(0, 1_000_000_000, 'null or bytes, a whole number').nullable().optional(),
  maxBufferedBytes: wholeNumberSchema(0, 1_000_000_000, 'bytes, a whole number').optional(),
  maxSlowMs: wholeNumberSchema(1, 86_400_000, 'null or milliseconds, a whole number').nullable().optional(),
});

/** The file as a whole; its servers are looked at one by one, so that each mistake names its own. */
export const configFileSchema = z.looseObject({
  mcpServers: z.record(z.string(), z.unknown()),
  swarmlens: z.unknown().optional(),
});

export function suggestOption(key: string): string {
  if (Object.hasOwn(serverOptionsSchema.shape, key)) return `, it belongs under a server's own "swarmlens"`;
  return didYouMean(key, [...Object.keys(swarmlensOptionsSchema.shape), ...AUTH_KEYS, ...LIMIT_KEYS]);
}

export function suggestServerOption(key: string): string {
  if (Object.hasOwn(swarmlensOptionsSchema.shape, key)) return ', it belongs under "swarmlens" beside "mcpServers"';
  return didYouMean(key, [...Object.keys(serverOptionsSchema.shape), ...MAPPING_KEYS, ...PAUSE_KEYS]);
}
