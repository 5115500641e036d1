import { z } from 'zod';
import { type Agent, parseServerId, type SwarmlensEvent } from '../../model/index.js';
import { emptyDelta, type MergePatch, type ServerDelta, type ServerChanges, type Store } from '../../state/index.js';
import { listOf, textListSchema } from '../../shared/index.js';
import { agentSchema, edgeSchema, eventSchema, serverSchema, swarmSchema, taskSchema } from '../wire-schemas.js';

/** Position in the messages of a server: fencing token of the owner, and number of the message under it. */
export interface BusPosition {
  readonly fencingToken: number;
  readonly seq: number;
}

/** Message with the changes of a server since an earlier message. */
export interface BusMessage extends BusPosition {
  /** Time of publication in milliseconds since the epoch, by the Redis clock. */
  readonly atMs: number;
  readonly body: BusMessageBody;
}

// Empty values are omitted.
const bodySchema = z.object({
  /** Number of the earliest message of the same owner after which this one can be applied. @default the previous message */
  f: z.int().min(0).optional(),
  /** Set if the message is incomplete and the snapshot must be read. */
  g: z.literal(1).optional(),
  /** Time at which the server last answered. */
  t: z.string().optional(),
  s: serverSchema.optional(),
  /** Set if the server was removed. */
  x: z.literal(1).optional(),
  /** Agents that receivers do not have. */
  a: listOf(agentSchema).optional(),
  /** Patches of agents that receivers have, by native id. */
  p: listOf(z.tuple([z.string(), z.record(z.string(), z.unknown())])).optional(),
  w: listOf(swarmSchema).optional(),
  e: listOf(edgeSchema).optional(),
  k: listOf(taskSchema).optional(),
  /** Ids of removed agents, swarms, edges and tasks, without the server id. */
  ra: textListSchema.optional(),
  rw: textListSchema.optional(),
  re: textListSchema.optional(),
  rk: textListSchema.optional(),
  /** Events. */
  v: listOf(eventSchema).optional(),
});

export type BusMessageBody = z.infer<typeof bodySchema>;

const sequenceSchema = z.int().min(1);
const messageSchema = z.tuple([sequenceSchema, sequenceSchema, z.int(), bodySchema]);

/** Encodes a message as an array, which `docs/decisions/0018-bus-protocol.md` describes. */
export function encodeBusMessage({ fencingToken, seq, atMs, body }: BusMessage): readonly unknown[] {
  return [fencingToken, seq, atMs, body];
}

/** Parses a message. Null if it is invalid or concerns another server. */
export function parseBusMessage(value: unknown, serverId: string): BusMessage | null {
  const parsed = messageSchema.safeParse(value);
  if (!parsed.success) return null;
  const [fencingToken, seq, atMs, body] = parsed.data;
  const { s, a = [], w = [], e = [], k = [], v = [] } = body;
  const idPrefixes = [...a, ...w, ...e, ...k].map(({ id }) => parseServerId(id));
  const serverIds = [...a, ...w, ...e, ...k, ...v].map((item) => item.serverId);
  const isOfServer = [s?.id ?? serverId, ...idPrefixes, ...serverIds].every((id) => id === serverId);
  return isOfServer ? { fencingToken, seq, atMs, body } : null;
}

/** Returns the number of the earliest message after which this one can be applied. */
export function baseSequence({ seq, body }: BusMessage): number {
  return body.f ?? seq - 1;
}

/**
 * Creates the body of a message about an existing server.
 * @param basis number of the last message that all receivers certainly got
 * @param events events to send instead of those in `changes`
 */
export function createMessageBody(
  serverId: string,
  changes: ServerChanges,
  { seq, basis, events }: { seq: number; basis: number; events: readonly SwarmlensEvent[] },
): BusMessageBody {
  const common: BusMessageBody = { ...(basis !== seq - 1 && { f: basis }), ...optionalList('v', events) };
  if (changes.kind === 'SNAPSHOT') return { ...common, g: 1 };
  const { delta, patches } = changes;
  const toLocalIds = (ids: readonly string[]): string[] => ids.map((id) => id.slice(serverId.length + 1));
  const patched = delta.agents.flatMap(({ id, nativeId }) => {
    const patch = patches.get(id);
    return patch === undefined ? [] : [[nativeId, patch] satisfies [string, MergePatch]];
  });
  return {
    ...common,
    ...(delta.seenAt !== null && { t: delta.seenAt }),
    ...(delta.server !== null && { s: delta.server }),
    ...optionalList(
      'a',
      delta.agents.filter(({ id }) => !patches.has(id)),
    ),
    ...optionalList('p', patched),
    ...optionalList('w', delta.swarms),
    ...optionalList('e', delta.edges),
    ...optionalList('k', delta.tasks),
    ...optionalList('ra', toLocalIds(delta.removedAgentIds)),
    ...optionalList('rw', toLocalIds(delta.removedSwarmIds)),
    ...optionalList('re', toLocalIds(delta.removedEdgeIds)),
    ...optionalList('rk', toLocalIds(delta.removedTaskIds)),
  };
}

/**
 * Returns the delta that applies a message to `store`, without events. Null if the store lacks an agent that the message patches.
 */
export function toServerDelta(store: Store, serverId: string, { body, atMs }: BusMessage): ServerDelta | null {
  if (body.x === 1) return { ...store.removalDelta(serverId), publishedAtMs: atMs };
  const { t = null, s = null, a = [], p = [], w = [], e = [], k = [], ra = [], rw = [], re = [], rk = [] } = body;
  const toGlobalIds = (ids: readonly string[]): string[] => ids.map((id) => `${serverId}:${id}`);
  const agents = [...a];
  for (const [nativeId, patch] of p) {
    const previous = store.agents.get(`${serverId}:${nativeId}`);
    const agent = previous && agentSchema.safeParse(merge(previous, patch));
    if (agent?.success !== true) return null;
    agents.push(agent.data);
  }
  return {
    ...emptyDelta(serverId),
    seenAt: t,
    server: s,
    agents,
    removedAgentIds: toGlobalIds(ra),
    swarms: w,
    removedSwarmIds: toGlobalIds(rw),
    edges: e,
    removedEdgeIds: toGlobalIds(re),
    tasks: k,
    removedTaskIds: toGlobalIds(rk),
    publishedAtMs: atMs,
  };
}

/** Merges a patch into an agent. Unlike in RFC 7396, null is a value. Keeps the identity of the agent. */
function merge({ id, nativeId, serverId, ...agent }: Agent, patch: MergePatch): object {
  const merged: Record<string, unknown> = { ...agent };
  for (const [key, value] of Object.entries(patch)) {
    merged[key] = isPlain(value) && isPlain(merged[key]) ? { ...merged[key], ...value } : value;
  }
  return { ...merged, id, nativeId, serverId };
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionalList<K extends string, V>(key: K, values: readonly V[]): Partial<Record<K, V[]>> {
  // The key is one of K, which the compiler does not see.
  return values.length === 0 ? {} : ({ [key]: [...values] } as Partial<Record<K, V[]>>);
}
