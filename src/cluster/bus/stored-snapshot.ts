import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { ServerDelta, ServerSnapshot } from '../../state/index.js';
import { WIRE_VERSION } from '../redis/envelope.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import type { RefusalReason } from '../redis/refusals.js';
import type { HashSum } from '../redis/seal.js';
import type { BusPosition } from './bus-message.js';
import { agentSchema, edgeSchema, serverSchema, swarmSchema, taskSchema } from '../wire-schemas.js';

/** Snapshot of one server in Redis. */
export interface StoredSnapshot {
  readonly at: BusPosition;
  /** Time of the write in milliseconds since the epoch, by the Redis clock. */
  readonly atMs: number;
  readonly seenAt: string | null;
  readonly snapshot: ServerSnapshot;
}

const positionSchema = z.tuple([z.int(), z.int()]);

/** Formats a position. */
export function formatPosition({ fencingToken, seq }: BusPosition): string {
  return `[${fencingToken},${seq}]`;
}

/** Parses a position. Null if the text contains none. */
export function parsePosition(text: string | null | undefined): BusPosition | null {
  if (text == null) return null;
  const parsed = positionSchema.safeParse(parseJson(text));
  return parsed.success ? { fencingToken: parsed.data[0], seq: parsed.data[1] } : null;
}

/** Fields of the signature, and of what Redis writes itself. All others are part of the sum that is signed. */
const UNSUMMED_FIELDS: ReadonlySet<string> = new Set(['at', 'atMs', 'signedAtMs', 'signature']);
/** Tolerance in milliseconds between the clock of Redis and the estimates of its writer and its reader. */
const TOLERANCE_MS = 10_000;
/** Number of values that are parsed before the event loop continues. */
const VALUES_PER_TURN = 100;

/** Returns the fields of the signature of a snapshot. `sum` is empty if nothing is signed. */
export function signatureFields(
  { seal, time, keys }: RedisConnection,
  serverId: string,
  { at, sum }: { readonly at: string; readonly sum: string },
): readonly string[] {
  const signedAtMs = time.now();
  const signature = seal.sign(keys.key(serverId, 'snapshot'), signedText(at, signedAtMs, sum));
  return ['signedAtMs', String(signedAtMs), 'signature', signature];
}

function signedText(at: string, signedAtMs: number | string, sum: string): string {
  return `${WIRE_VERSION} ${at} ${signedAtMs} ${sum}`;
}

/** Returns the change of the sum of a snapshot by fields and values, which alternate. Null if nothing is signed. */
export async function changedSum(
  sum: HashSum | null,
  set: readonly string[],
  removed: readonly string[],
): Promise<Awaited<ReturnType<HashSum['changed']>> | null> {
  if (sum === null) return null;
  const pairs = set.flatMap((name, index) => (index % 2 === 0 ? [[name, set[index + 1] ?? ''] as const] : []));
  return sum.changed(pairs, removed);
}

/**
 * Reads the snapshot of a server. Null if there is none.
 * @param maxAgeMs age of the signature from which on the snapshot is refused, because Redis would have expired it
 * @throws Error if the snapshot is invalid; its refusal is counted
 */
export async function readStoredSnapshot(
  link: RedisConnection,
  serverId: string,
  maxAgeMs: number,
): Promise<StoredSnapshot | null> {
  const key = link.keys.key(serverId, 'snapshot');
  const fields = await link.commands.hgetall(key);
  if (Object.keys(fields).length === 0) return null;
  const at = parsePosition(fields['at']);
  if (at === null) throw new Error('the stored snapshot has no position');
  const refusal = await refusalOf(link, key, { fields, maxAgeMs });
  if (refusal !== null) {
    link.refusals.count(refusal, key);
    throw new Error(`the stored snapshot was refused: ${refusal}`);
  }
  const values = async <T>(kind: string, schema: z.ZodType<T>): Promise<T[]> => {
    const found: T[] = [];
    for (const [name, text] of Object.entries(fields)) {
      if (!name.startsWith(kind)) continue;
      found.push(schema.parse(parseJson(text)));
      if (found.length % VALUES_PER_TURN === 0) await setImmediate();
    }
    return found;
  };
  const snapshot = {
    server: serverSchema.parse(parseJson(fields['server'] ?? '')),
    agents: await values('a:', agentSchema),
    swarms: await values('w:', swarmSchema),
    edges: await values('e:', edgeSchema),
    tasks: await values('k:', taskSchema),
  };
  const all = [...snapshot.agents, ...snapshot.swarms, ...snapshot.edges, ...snapshot.tasks];
  if (snapshot.server.id !== serverId || all.some((item) => item.serverId !== serverId)) {
    throw new Error('the stored snapshot contains data of another server');
  }
  return { at, atMs: Number(fields['atMs']), seenAt: fields['seenAt'] ?? null, snapshot };
}

async function refusalOf(
  { seal, time }: RedisConnection,
  key: string,
  { fields, maxAgeMs }: { readonly fields: Readonly<Record<string, string>>; readonly maxAgeMs: number },
): Promise<RefusalReason | null> {
  const { at = '', atMs, signedAtMs, signature } = fields;
  if (signedAtMs === undefined || signature === undefined) return 'version';
  const summed = Object.entries(fields).filter(([name]) => !UNSUMMED_FIELDS.has(name));
  const textWith = (sum: string): string => signedText(at, signedAtMs, sum);
  const refusal = await seal.refusalOfHash(key, summed, { signature, textWith });
  if (refusal !== null) return refusal;
  // Redis adds the time of the write, which is before the last signature.
  const isWrittenLater = !(Number(atMs) <= Number(signedAtMs) + TOLERANCE_MS);
  const isExpired = Math.abs(time.now() - Number(signedAtMs)) > maxAgeMs + TOLERANCE_MS;
  return isWrittenLater || isExpired ? 'expired' : null;
}

/** Returns the fields and values of the hash, alternating. */
export function snapshotFields(
  { server, agents, swarms, edges, tasks }: Pick<ServerDelta, 'server' | 'agents' | 'swarms' | 'edges' | 'tasks'>,
  seenAt: string | null,
): string[] {
  return [
    ...(seenAt === null ? [] : ['seenAt', seenAt]),
    ...(server === null ? [] : ['server', JSON.stringify(server)]),
    ...agents.flatMap((agent) => [`a:${agent.id}`, JSON.stringify(agent)]),
    ...swarms.flatMap((swarm) => [`w:${swarm.id}`, JSON.stringify(swarm)]),
    ...edges.flatMap((edge) => [`e:${edge.id}`, JSON.stringify(edge)]),
    ...tasks.flatMap((task) => [`k:${task.id}`, JSON.stringify(task)]),
  ];
}

/** Returns the fields of removed items. */
export function removedFields(delta: ServerDelta): string[] {
  return [
    ...delta.removedAgentIds.map((id) => `a:${id}`),
    ...delta.removedSwarmIds.map((id) => `w:${id}`),
    ...delta.removedEdgeIds.map((id) => `e:${id}`),
    ...delta.removedTaskIds.map((id) => `k:${id}`),
  ];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
