import { z } from 'zod';
import { type Agent, serverIdOf, type SwarmlensEvent } from '../domain/index.js';
import { emptyChange, type MergePatch, type ServerChange, type ServerChanges, type Store } from '../state/index.js';
import { AGENT, EDGE, EVENT, SERVER, SWARM } from './wire-schemas.js';

/** Of the format: whoever reads another one asks for the picture instead. `docs/decisions/0018-wire.md` describes it. */
export const WIRE_VERSION = 1;

/** Where a server's changes stand: which term of which holder, and the number of the message in it. */
export interface WirePosition {
  readonly term: number;
  readonly seq: number;
}

/** One message: what has become of a server since an earlier one. */
export interface WireMessage extends WirePosition {
  /** By the clock of Redis, milliseconds since the epoch. */
  readonly atMs: number;
  readonly nodeId: string;
  readonly body: WireBody;
}

/** What there is nothing of is left out. */
const BODY = z.object({
  /** Whoever has applied this message of the term, or a later one, may apply this one. Left out: the one before. */
  f: z.int().min(0).optional(),
  /** This is not all that changed: the picture has to be read. */
  g: z.literal(1).optional(),
  /** When the server last answered. */
  t: z.string().optional(),
  s: SERVER.optional(),
  /** The server is gone, and all of it. */
  x: z.literal(1).optional(),
  /** Agents that the reader does not have. */
  a: z.array(AGENT).optional(),
  /** Of agents that it has, by their native id: what changed of them. */
  p: z.array(z.tuple([z.string(), z.record(z.string(), z.unknown())])).optional(),
  w: z.array(SWARM).optional(),
  e: z.array(EDGE).optional(),
  /** Ids of what is gone, less the server's part. */
  ra: z.array(z.string()).optional(),
  rw: z.array(z.string()).optional(),
  re: z.array(z.string()).optional(),
  /** Events. */
  v: z.array(EVENT).optional(),
});

export type WireBody = z.infer<typeof BODY>;

const SEQ = z.int().min(1);
const MESSAGE = z.tuple([z.literal(WIRE_VERSION), SEQ, SEQ, z.int(), z.string(), BODY]);

/** As JSON: an array with the version first. */
export function encodeMessage({ term, seq, atMs, nodeId, body }: WireMessage): readonly unknown[] {
  return [WIRE_VERSION, term, seq, atMs, nodeId, body];
}

/** @returns `null` when it is no message of this version, or speaks of another server */
export function parseMessage(value: unknown, serverId: string): WireMessage | null {
  const parsed = MESSAGE.safeParse(value);
  if (!parsed.success) return null;
  const [, term, seq, atMs, nodeId, body] = parsed.data;
  const { s, a = [], w = [], e = [], v = [] } = body;
  const things = [...a, ...w, ...e].map(({ id }) => serverIdOf(id));
  const named = [...a, ...w, ...e, ...v].map((one) => one.serverId);
  const isOfServer = [s?.id ?? serverId, ...things, ...named].every((id) => id === serverId);
  return isOfServer ? { term, seq, atMs, nodeId, body } : null;
}

/** The earliest message after which this one may be applied. */
export function basisOf({ seq, body }: WireMessage): number {
  return body.f ?? seq - 1;
}

/**
 * What there is to tell of a server that there is.
 * @param basis the last message that all readers were surely told
 * @param events instead of those of `changes`
 */
export function bodyOf(
  serverId: string,
  changes: ServerChanges,
  { seq, basis, events }: { seq: number; basis: number; events: readonly SwarmlensEvent[] },
): WireBody {
  const common: WireBody = { ...(basis !== seq - 1 && { f: basis }), ...list('v', events) };
  if (changes.kind === 'WHOLE') return { ...common, g: 1 };
  const { change, patches } = changes;
  const own = (ids: readonly string[]): string[] => ids.map((id) => id.slice(serverId.length + 1));
  const patched = change.agents.flatMap(({ id, nativeId }) => {
    const patch = patches.get(id);
    return patch === undefined ? [] : [[nativeId, patch] satisfies [string, MergePatch]];
  });
  return {
    ...common,
    ...(change.seenAt !== null && { t: change.seenAt }),
    ...(change.server !== null && { s: change.server }),
    ...list(
      'a',
      change.agents.filter(({ id }) => !patches.has(id)),
    ),
    ...list('p', patched),
    ...list('w', change.swarms),
    ...list('e', change.edges),
    ...list('ra', own(change.removedAgentIds)),
    ...list('rw', own(change.removedSwarmIds)),
    ...list('re', own(change.removedEdgeIds)),
  };
}

/**
 * What to commit to `store` so that it is where the message leads, without its events.
 * @returns `null` when the store does not have what the message builds on
 */
export function changeOf(store: Store, serverId: string, { body, atMs }: WireMessage): ServerChange | null {
  if (body.x === 1) return { ...store.removal(serverId), atMs };
  const { t = null, s = null, a = [], p = [], w = [], e = [], ra = [], rw = [], re = [] } = body;
  const global = (ids: readonly string[]): string[] => ids.map((id) => `${serverId}:${id}`);
  const agents = [...a];
  for (const [nativeId, patch] of p) {
    const previous = store.agents.get(`${serverId}:${nativeId}`);
    const agent = previous && AGENT.safeParse(merge(previous, patch));
    if (agent?.success !== true) return null;
    agents.push(agent.data);
  }
  return {
    ...emptyChange(serverId),
    seenAt: t,
    server: s,
    agents,
    removedAgentIds: global(ra),
    swarms: w,
    removedSwarmIds: global(rw),
    edges: e,
    removedEdgeIds: global(re),
    atMs,
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
