import { z } from 'zod';
import type { ServerDelta, ServerSnapshot } from '../../state/index.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import type { BusPosition } from './bus-message.js';
import { agentSchema, edgeSchema, serverSchema, swarmSchema } from '../wire-schemas.js';

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

/**
 * Reads the snapshot of a server. Null if there is none.
 * @throws Error if the snapshot is invalid, for example because another version wrote it
 */
export async function readStoredSnapshot(link: RedisConnection, serverId: string): Promise<StoredSnapshot | null> {
  const fields = await link.commands.hgetall(link.keys.key(serverId, 'snapshot'));
  const at = parsePosition(fields['at']);
  if (at === null) {
    if (Object.keys(fields).length === 0) return null;
    throw new Error('the stored snapshot has no position');
  }
  const values = <T>(kind: string, schema: z.ZodType<T>): T[] =>
    Object.entries(fields).flatMap(([name, text]) => (name.startsWith(kind) ? [schema.parse(parseJson(text))] : []));
  const snapshot = {
    server: serverSchema.parse(parseJson(fields['server'] ?? '')),
    agents: values('a:', agentSchema),
    swarms: values('w:', swarmSchema),
    edges: values('e:', edgeSchema),
  };
  const all = [...snapshot.agents, ...snapshot.swarms, ...snapshot.edges];
  if (snapshot.server.id !== serverId || all.some((item) => item.serverId !== serverId)) {
    throw new Error('the stored snapshot contains data of another server');
  }
  return { at, atMs: Number(fields['atMs']), seenAt: fields['seenAt'] ?? null, snapshot };
}

/** Returns the fields and values of the hash, alternating. */
export function snapshotFields(
  { server, agents, swarms, edges }: Pick<ServerDelta, 'server' | 'agents' | 'swarms' | 'edges'>,
  seenAt: string | null,
): string[] {
  return [
    ...(seenAt === null ? [] : ['seenAt', seenAt]),
    ...(server === null ? [] : ['server', JSON.stringify(server)]),
    ...agents.flatMap((agent) => [`a:${agent.id}`, JSON.stringify(agent)]),
    ...swarms.flatMap((swarm) => [`w:${swarm.id}`, JSON.stringify(swarm)]),
    ...edges.flatMap((edge) => [`e:${edge.id}`, JSON.stringify(edge)]),
  ];
}

/** Returns the fields of removed items. */
export function removedFields(delta: ServerDelta): string[] {
  return [
    ...delta.removedAgentIds.map((id) => `a:${id}`),
    ...delta.removedSwarmIds.map((id) => `w:${id}`),
    ...delta.removedEdgeIds.map((id) => `e:${id}`),
  ];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
