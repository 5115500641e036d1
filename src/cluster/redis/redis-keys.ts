/** The full name of a channel, or a pattern of names. */
export type RedisChannel = string;

export type RedisKeyKind = 'lease' | 'term' | 'picture' | 'health';

/**
 * The names of all that swarmlens has in Redis. The braces put all keys of one server into one slot of a cluster, so
 * that one script may touch them; ids are percent-encoded, because one with a brace would say otherwise.
 */
export class RedisKeys {
  readonly prefix: string;
  /** A pattern of the channels of all servers. */
  readonly allChanges: RedisChannel;

  /** @param prefix without characters that mean something in a pattern */
  constructor(prefix: string) {
    this.prefix = prefix;
    this.allChanges = `${prefix}:{*}:changes`;
  }

  /** A key of one server. */
  key(serverId: string, kind: RedisKeyKind): string {
    return `${this.prefix}:{${encodeURIComponent(serverId)}}:${kind}`;
  }

  /** The channel that the changes of one server go over. */
  changes(serverId: string): RedisChannel {
    return `${this.prefix}:{${encodeURIComponent(serverId)}}:changes`;
  }

  /** Whose changes go over a channel; `null`: it is no such channel. */
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

  /** The channel of one node. */
  nodeChannel(nodeId: string): RedisChannel {
    return `${this.prefix}:node:${nodeId}`;
  }

  /** What there is once for all servers and nodes: `nodes`, `servers`, … */
  shared(name: string): string {
    return `${this.prefix}:${name}`;
  }
}
