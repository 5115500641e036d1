import type { Redis } from 'ioredis';
import { RECORD_TTL_LEASES } from '../../src/cluster/redis/redis-keys.js';
import { waitUntil } from '../support/wait.js';
import { Nodes } from './test-node.js';

/** Minimum lease duration in milliseconds, so that the test can wait until all keys expire. */
const LEASE_MS = 200;

/** State that Redis still contains when all nodes are gone. */
export interface LeftBehind {
  /** Keys that do not expire. */
  readonly keysWithoutTtl: readonly string[];
  /** Keys that are left when the lifetime of all keys has passed. */
  readonly keys: readonly string[];
  readonly channels: readonly unknown[];
  readonly patterns: unknown;
  /** Connections of nodes. */
  readonly clients: readonly string[];
}

/** Lets nodes join, own servers, call each other and leave. In every third round, a node disconnects without a release. */
export async function joinAndLeave(inspector: Redis, redisUrl: string, rounds: number): Promise<LeftBehind> {
  const ids = ['a', 'b'];
  const options = { leaseMs: LEASE_MS };
  for (let round = 0; round < rounds; round += 1) {
    await using nodes = new Nodes(redisUrl);
    const one = await nodes.join(`one-${round}`, ids, options);
    const two = await nodes.join(`two-${round}`, ids, options);
    await Promise.all(ids.map((id) => Promise.all([one.settled(id), two.settled(id)])));
    for (const node of [one, two])
      for (const id of node.leases.remote.serverIds) await node.leases.remote.poll(id, false);
    if (round % 3 === 0) await one.vanish();
  }
  const keysWithoutTtl: string[] = [];
  let longestMs = 0;
  for (const key of await inspector.keys('*')) {
    const ttlMs = await inspector.pttl(key);
    if (ttlMs === -1) keysWithoutTtl.push(key);
    longestMs = Math.max(longestMs, ttlMs);
  }
  if (longestMs > LEASE_MS * RECORD_TTL_LEASES) keysWithoutTtl.push(`one expires in ${longestMs} ms`);
  // The wait ends when the last key has expired in Redis.
  let left: readonly string[] = [];
  const isEmpty = async (): Promise<boolean> => (left = await inspector.keys('*')).length === 0;
  if (keysWithoutTtl.length === 0) await waitUntil(isEmpty, { state: () => left });
  const clients = String(await inspector.client('LIST'))
    .split('\n')
    .filter((line) => line.includes('name=t%3A') || line.includes('name=t:'));
  return {
    keysWithoutTtl,
    keys: await inspector.keys('*'),
    channels: await inspector.pubsub('CHANNELS', '*'),
    patterns: await inspector.pubsub('NUMPAT'),
    clients,
  };
}
