import { z } from 'zod';
import { MCP_SERVER_TYPES } from '../domain/index.js';
import { LOG_LEVELS } from './config.js';

const DURATION_MS = z.int().min(1).max(3_600_000);

const SERVER_OPTIONS = z.strictObject({
  serverType: z.enum(MCP_SERVER_TYPES).optional(),
  maxPollHz: z.number().positive().max(1_000).optional(),
  allowTools: z.array(z.string().min(1)).optional(),
  timeoutMs: DURATION_MS.optional(),
  connectTimeoutMs: DURATION_MS.optional(),
});

/** Keys that other programs read from the same file are let through. */
const SHARED = { swarmlens: SERVER_OPTIONS.optional(), disabled: z.boolean().optional() };
const STRINGS = z.record(z.string(), z.string());

export const STDIO_SERVER = z.looseObject({
  type: z.literal('stdio').optional(),
  command: z.string().min(1),
  args: z.array(z.string()).optional(),
  cwd: z.string().min(1).optional(),
  env: STRINGS.optional(),
  ...SHARED,
});

export const HTTP_SERVER = z.looseObject({
  type: z.enum(['http', 'sse']).optional(),
  url: z.url({ protocol: /^https?$/ }),
  headers: STRINGS.optional(),
  ...SHARED,
});

export const OWN_OPTIONS = z.strictObject({
  port: z.int().min(0).max(65_535).optional(),
  host: z.string().min(1).optional(),
  bus: z.literal('memory').optional(),
  logLevel: z.enum(LOG_LEVELS).optional(),
  auth: z.strictObject({}).optional(),
  limits: z.strictObject({}).optional(),
  heartbeatMs: DURATION_MS.optional(),
  tombstones: z.int().min(0).max(10_000_000).optional(),
  shutdownMs: DURATION_MS.optional(),
});

/** The file as a whole; its servers are looked at one by one, so that each mistake names its own. */
export const FILE = z.looseObject({
  mcpServers: z.record(z.string(), z.unknown()),
  swarmlens: z.unknown().optional(),
});
