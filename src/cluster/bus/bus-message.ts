import { z } from 'zod';
import { type Agent, parseServerId, type SwarmlensEvent } from '../../model/index.js';
import { emptyDelta, type MergePatch, type ServerDelta, type ServerChanges, type Store } from '../../state/index.js';
import { agentSchema, edgeSchema, eventSchema, serverSchema, swarmSchema } from '../wire-schemas.js';

/** Of the format: whoever reads another one asks for the picture instead. `docs/decisions/0018-bus-protocol.md` describes it. */
export const BUS_MESSAGE_VERSION = 1;

/** Where a server's changes stand: which term of which holder, and the number of the message in it. */
export interface BusPosition {
  readonly fencingToken: number;
  readonly seq: number;
}

/** One message: what has become of a server since an earlier one. */
export interface BusMessage extends BusPosition {
  /** By the clock of Redis, milliseconds since the epoch. */
  readonly atMs: number;
  readonly nodeId: string;
  readonly body: BusMessageBody;
}

/** What there is nothing of is left out. */
const BODY = z.object({
  /** Whoever has applied this message of the term, or a later one, may apply this one. Left out: the one before. */
  f: z.int().min(0).optional(),
  /** This is not all that changed: the picture has to be read. */
  g: z.literal(1).optional(),
  /** When the server last answered. */
  t: z.string().optional(),
  s: serverSchema.optional(),
  /** The server is gone, and all of it. */
  x: z.literal(1).optional(),
  /** Agents that the reader does not have. */
  a: z.array(agentSchema).optional(),
  /** Of agents that it has, by their native id: what changed of them. */
  p: z.array(z.tuple([z.string(), z.record(z.string(), z.unknown())])).optional(),
  w: z.array(swarmSchema).optional(),
  e: z.array(edgeSchema).optional(),
  /** Ids of what is gone, less the server's part. */
  ra: z.array(z.string()).optional(),
  rw: z.array(z.string()).optional(),
  re: z.array(z.string()).optional(),
  /** Events. */
  v: z.array(eventSchema).optional(),
});

export type BusMessageBody = z.infer<typeof BODY>;

const SEQ = z.int().min(1);
const MESSAGE = z.tuple([z.literal(BUS_MESSAGE_VERSION), SEQ, SEQ, z.int(), z.string(), BODY]);

/** As JSON: an array with the version first. */
export function encodeBusMessage({ fencingToken, seq, atMs, nodeId, body }: BusMessage): readonly unknown[] {
  return [BUS_MESSAGE_VERSION, fencingToken, seq, atMs, nodeId, body];
}

/** @returns `null` when it is no message of this version, or speaks of another server */
export function parseBusMessage(value: unknown, serverId: string): BusMessage | null {
  const parsed = MESSAGE.safeParse(value);
  if (!parsed.success) return null;
  const [, term, seq, atMs, nodeId, body] = parsed.data;
  const { s, a = [], w = [], e = [], v = [] } = body;
  const things = [...a, ...w, ...e].map(({ id }) => parseServerId(id));
  const named = [...a, ...w, ...e, ...v].map((one) => one.serverId);
  const isOfServer = [s?.id ?? serverId, ...things, ...named].every((id) => id === serverId);
  return isOfServer ? { fencingToken: term, seq, atMs, nodeId, body } : null;
}

/** The earliest message after which this one may be applied. */
export function baseSequence({ seq, body }: BusMessage): number {
  return body.f ?? seq - 1;
}

/**
 * What there is to tell of a server that there is.
 * @param basis the last message that all readers were surely told
 * @param events instead of those of `changes`
 */
export function createMessageBody(
  serverId: string,
  changes: ServerChanges,
  { seq, basis, events }: { seq: number; basis: number; events: readonly SwarmlensEvent[] },
): BusMessageBody {
  const common: BusMessageBody = { ...(basis !== seq - 1 && { f: basis }), ...list('v', events) };
  if (changes.kind === 'SNAPSHOT') return { ...common, g: 1 };
  const { delta, patches } = changes;
  const own = (ids: readonly string[]): string[] => ids.map((id) => id.slice(serverId.length + 1));
  const patched = delta.agents.flatMap(({ id, nativeId }) => {
    const patch = patches.get(id);
    return patch === undefined ? [] : [[nativeId, patch] satisfies [string, MergePatch]];
  });
  return {
    ...common,
    ...(delta.seenAt !== null && { t: delta.seenAt }),
    ...(delta.server !== null && { s: delta.server }),
    ...list(
      'a',
      delta.agents.filter(({ id }) => !patches.has(id)),
    ),
    ...list('p', patched),
    ...list('w', delta.swarms),
    ...list('e', delta.edges),
    ...list('ra', own(delta.removedAgentIds)),
    ...list('rw', own(delta.removedSwarmIds)),
    ...list('re', own(delta.removedEdgeIds)),
  };
}

/**
 * What to commit to `store` so that it is where the message leads, without its events.
 * @returns `null` when the store does not have what the message builds on
 */
export function toServerDelta(store: Store, serverId: string, { body, atMs }: BusMessage): ServerDelta | null {
  if (body.x === 1) return { ...store.removalDelta(serverId), publishedAtMs: atMs };
  const { t = null, s = null, a = [], p = [], w = [], e = [], ra = [], rw = [], re = [] } = body;
  const global = (ids: readonly string[]): string[] => ids.map((id) => `${serverId}:${id}`);
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
    removedAgentIds: global(ra),
    swarms: w,
    removedSwarmIds: global(rw),
    edges: e,
    removedEdgeIds: global(re),
    publishedAtMs: atMs,
  };
}

/** Unlike RFC 7396 has it, `null` is a value: what is not known. An agent's identity is not patched. */
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

function list<K extends string, V>(key: K, values: readonly V[]): Partial<Record<K, V[]>> {
  // The key is one of K, which the compiler does not see.
  return values.length === 0 ? {} : ({ [key]: [...values] } as Partial<Record<K, V[]>>);
}
