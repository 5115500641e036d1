import { z } from 'zod';
import type { ServerChange, ServerPicture } from '../state/index.js';
import type { RedisLink } from './redis-link.js';
import type { WirePosition } from './wire.js';
import { AGENT, EDGE, SERVER, SWARM } from './wire-schemas.js';

/** The picture of one server as it lies in Redis. */
export interface StoredPicture {
  readonly at: WirePosition;
  /** When it was written, by the clock of Redis. */
  readonly atMs: number;
  readonly seenAt: string | null;
  readonly picture: ServerPicture;
}

const POSITION = z.tuple([z.int(), z.int()]);

/** A position as text. */
export function positionText({ term, seq }: WirePosition): string {
  return `[${term},${seq}]`;
}

/** @returns `null` when there is none */
export function parsePosition(text: string | null | undefined): WirePosition | null {
  if (text == null) return null;
  const parsed = POSITION.safeParse(parseJson(text));
  return parsed.success ? { term: parsed.data[0], seq: parsed.data[1] } : null;
}

/**
 * @returns `null` when there is none
 * @throws when it cannot be read, as when another version has written it
 */
export async function readPicture(link: RedisLink, serverId: string): Promise<StoredPicture | null> {
  const fields = await link.commands.hgetall(link.names.key(serverId, 'picture'));
  const at = parsePosition(fields['at']);
  if (at === null) {
    if (Object.keys(fields).length === 0) return null;
    throw new Error('it has no position');
  }
  const values = <T>(kind: string, schema: z.ZodType<T>): T[] =>
    Object.entries(fields).flatMap(([name, text]) => (name.startsWith(kind) ? [schema.parse(parseJson(text))] : []));
  const picture = {
    server: SERVER.parse(parseJson(fields['server'] ?? '')),
    agents: values('a:', AGENT),
    swarms: values('w:', SWARM),
    edges: values('e:', EDGE),
  };
  const all = [...picture.agents, ...picture.swarms, ...picture.edges];
  if (picture.server.id !== serverId || all.some((one) => one.serverId !== serverId)) {
    throw new Error('it holds what is of another server');
  }
  return { at, atMs: Number(fields['atMs']), seenAt: fields['seenAt'] ?? null, picture };
}

/** Fields and values, in turn. */
export function pictureFields(
  { server, agents, swarms, edges }: Pick<ServerChange, 'server' | 'agents' | 'swarms' | 'edges'>,
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
export function removedFields(change: ServerChange): string[] {
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
