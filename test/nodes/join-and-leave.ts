import type { Redis } from 'ioredis';
import { waitUntil } from '../support/wait.js';
import { Nodes } from './test-node.js';

/** Shortest that there is, so that what is to lapse can be waited for. */
const LEASE_MS = 200;
const KEPT_LEASES = 12;

/** What Redis still has when all nodes are gone. */
export interface LeftBehind {
  /** Keys that would stay for ever. */
  readonly keysWithoutEnd: readonly string[];
  /** Those that are there when the time of all has passed. */
  readonly keys: readonly string[];
  readonly channels: readonly unknown[];
  readonly patterns: unknown;
  /** Connections, but for the one that looks. */
  readonly clients: readonly string[];
}

/** Nodes join, watch, ask each other something and leave, every third of them without a word. */
export async function joinAndLeave(look: Redis, redisUrl: string, rounds: number): Promise<LeftBehind> {
  const ids = ['a', 'b'];
  const options = { leaseMs: LEASE_MS };
  for (let round = 0; round < rounds; round += 1) {
    await using nodes = new Nodes(redisUrl);
    const one = await nodes.join(`one-${round}`, ids, options);
    const two = await nodes.join(`two-${round}`, ids, options);
    await Promise.all(ids.map((id) => Promise.all([one.settled(id), two.settled(id)])));
    for (const node of [one, two])
      for (const id of node.leases.others.serverIds) await node.leases.others.poll(id, false);
    if (round % 3 === 0) await one.vanish();
  }
  const keysWithoutEnd: string[] = [];
  let longestMs = 0;
  for (const key of await look.keys('*')) {
    const ttlMs = await look.pttl(key);
    if (ttlMs === -1) keysWithoutEnd.push(key);
    longestMs = Math.max(longestMs, ttlMs);
  }
  if (longestMs > LEASE_MS * KEPT_LEASES) keysWithoutEnd.push(`one has ${longestMs} ms left`);
  // Redis says itself when the last one has lapsed.
  let left: readonly string[] = [];
  const isEmpty = async (): Promise<boolean> => (left = await look.keys('*')).length === 0;
  if (keysWithoutEnd.length === 0) await waitUntil(isEmpty, { state: () => left });
  const clients = String(await look.client('LIST'))
    .split('\n')
    .filter((line) => line.includes('name=t%3A') || line.includes('name=t:'));
  return {
    keysWithoutEnd,
    keys: await look.keys('*'),
    channels: await look.pubsub('CHANNELS', '*'),
    patterns: await look.pubsub('NUMPAT'),
    clients,
  };
}
