/** Full name of a channel, or pattern of names. */
export type RedisChannel = string;

/** Lifetime of all keys but leases after their last renewal, in lease durations. */
export const RECORD_TTL_LEASES = 30;

export type RedisKeyKind = 'lease' | 'fence' | 'snapshot' | 'health';

/**
 * Names of all Redis keys and channels. The braces put all keys of one server into one slot of a Redis cluster, so that one
 * script can access them. Ids are percent-encoded, because they may contain braces.
 */
export class RedisKeys {
  readonly prefix: string;
  /** Pattern of the channels of all servers. */
  readonly allChanges: RedisChannel;

  /** @param prefix without special characters of patterns */
  constructor(prefix: string) {
    this.prefix = prefix;
    this.allChanges = `${prefix}:{*}:changes`;
  }

  /** Returns a key of one server. */
  key(serverId: string, kind: RedisKeyKind): string {
    return `${this.prefix}:{${encodeURIComponent(serverId)}}:${kind}`;
  }

  /** Returns the channel for the changes of one server. */
  changes(serverId: string): RedisChannel {
    return `${this.prefix}:{${encodeURIComponent(serverId)}}:changes`;
  }

  /** Returns the server id of a channel for changes. Null for other channels. */
  parseServerId(channel: RedisChannel): string | null {
    const start = `${this.prefix}:{`;
    const end = '}:changes';
    if (!channel.startsWith(start) || !channel.endsWith(end)) return null;
    try {
      return decodeURIComponent(channel.slice(start.length, -end.length));
    } catch {
      return null;
    }
  }

  /** Returns the channel of one node. */
  nodeChannel(nodeId: string): RedisChannel {
    return `${this.prefix}:node:${nodeId}`;
  }

  /** Returns the name of a key or channel that all nodes share: `nodes`, `servers`, `leases`. */
  shared(name: string): string {
    return `${this.prefix}:${name}`;
  }
}
