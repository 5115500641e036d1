import { z } from 'zod';
import { CIRCUIT_STATES, SERVER_STATUSES, type ServerHealth } from '../domain/index.js';

const MAYBE_NUMBER = z.number().nullable();
const MAYBE_TEXT = z.string().nullable();
const LATENCY = z.object({ p50Ms: MAYBE_NUMBER, p95Ms: MAYBE_NUMBER, p99Ms: MAYBE_NUMBER });
const BREAKER = z.object({
  state: z.enum(CIRCUIT_STATES),
  consecutiveFailures: z.number(),
  openedAt: MAYBE_TEXT,
  retryAt: MAYBE_TEXT,
});

const HEALTH: z.ZodType<ServerHealth> = z.object({
  circuitBreaker: BREAKER,
  latency: LATENCY,
  inFlight: z.number(),
  calls: z.number(),
  failures: z.number(),
  rejectedEntries: z.number(),
  polling: z.object({
    wantedHz: z.number(),
    effectiveHz: MAYBE_NUMBER,
    timeShare: MAYBE_NUMBER,
    maxTimeShare: z.number(),
  }),
  replicas: z.array(
    z.object({
      id: z.string(),
      status: z.enum(SERVER_STATUSES),
      inUse: z.boolean(),
      inFlight: z.number(),
      latency: LATENCY,
      circuitBreaker: BREAKER,
      lastError: MAYBE_TEXT,
      restarts: z.number(),
      lastAnsweredAt: MAYBE_TEXT,
      lastProbedAt: MAYBE_TEXT,
    }),
  ),
  tools: z.array(
    z.object({
      name: z.string(),
      calls: z.number(),
      failures: z.number(),
      consecutiveFailures: z.number(),
      lastError: MAYBE_TEXT,
      lastFailedAt: MAYBE_TEXT,
      latency: LATENCY,
    }),
  ),
});

/** What another node has measured; `null`: nothing, or nothing that can be read. */
export function parseServerHealth(json: string | null): ServerHealth | null {
  if (json === null) return null;
  try {
    return HEALTH.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}
