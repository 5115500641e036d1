import { z } from 'zod';
import type { ServerDelta, ServerSnapshot } from '../../state/index.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import type { BusPosition } from './bus-message.js';
import { agentSchema, edgeSchema, serverSchema, swarmSchema } from '../wire-schemas.js';

/** The picture of one server as it lies in Redis. */
export interface StoredSnapshot {
  readonly at: BusPosition;
  /** When it was written, by the clock of Redis. */
  readonly atMs: number;
  readonly seenAt: string | null;
  readonly snapshot: ServerSnapshot;
}

const POSITION = z.tuple([z.int(), z.int()]);

/** A position as text. */
export function formatPosition({ fencingToken, seq }: BusPosition): string {
  return `[${fencingToken},${seq}]`;
}

/** @returns `null` when there is none */
export function parsePosition(text: string | null | undefined): BusPosition | null {
  if (text == null) return null;
  const parsed = POSITION.safeParse(parseJson(text));
  return parsed.success ? { fencingToken: parsed.data[0], seq: parsed.data[1] } : null;
}

/**
 * @returns `null` when there is none
 * @throws when it cannot be read, as when another version has written it
 */
export async function readStoredSnapshot(link: RedisConnection, serverId: string): Promise<StoredSnapshot | null> {
  const fields = await link.commands.hgetall(link.keys.key(serverId, 'picture'));
  const at = parsePosition(fields['at']);
  if (at === null) {
    if (Object.keys(fields).length === 0) return null;
    throw new Error('it has no position');
  }
  const values = <T>(kind: string, schema: z.ZodType<T>): T[] =>
    Object.entries(fields).flatMap(([name, text]) => (name.startsWith(kind) ? [schema.parse(parseJson(text))] : []));
  const picture = {
    server: serverSchema.parse(parseJson(fields['server'] ?? '')),
    agents: values('a:', agentSchema),
    swarms: values('w:', swarmSchema),
    edges: values('e:', edgeSchema),
  };
  const all = [...picture.agents, ...picture.swarms, ...picture.edges];
  if (picture.server.id !== serverId || all.some((one) => one.serverId !== serverId)) {
    throw new Error('it holds what is of another server');
  }
  return { at, atMs: Number(fields['atMs']), seenAt: fields['seenAt'] ?? null, snapshot: picture };
}

/** Fields and values, in turn. */
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

/** Fields of what is gone. */
export function removedFields(change: ServerDelta): string[] {
  return [
    ...change.removedAgentIds.map((id) => `a:${id}`),
    ...change.removedSwarmIds.map((id) => `w:${id}`),
    ...change.removedEdgeIds.map((id) => `e:${id}`),
  ];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
