import type { ServerMapping } from '../adapters/index.js';
import type { Bus } from '../cluster/index.js';
import { type MessageSocket, TapConnection } from '../mcp/index.js';
import { isServerName, type ServerOrigin } from '../model/index.js';
import {
  type Clock,
  errorMessage,
  isoTimestamp,
  TAP_CLOSE_ENDED,
  TAP_CLOSE_REJECTED,
  type Logger,
  CLOSE_SERVICE_RESTART,
  CLOSE_TRY_AGAIN_LATER,
  truncateCloseReason,
} from '../shared/index.js';
import { emptyDelta } from '../state/index.js';
import type { UpstreamOptions } from './upstream-options.js';
import type { UpstreamRegistry } from './upstream-registry.js';

export interface TapRegistryDeps {
  readonly upstreams: Pick<
    UpstreamRegistry,
    'add' | 'remove' | 'reconfigure' | 'reconnect' | 'isOwnedElsewhere' | 'isOwnedHere'
  >;
  /** Default options of a server. */
  readonly defaults: Omit<UpstreamOptions, 'id' | 'endpoint'>;
  /** Mappings of servers by name. @default none */
  readonly mappings?: ReadonlyMap<string, ServerMapping>;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns whether the configuration contains a server with this id. */
  readonly isConfigured: (id: string) => boolean;
}

/** Request of a tap to register its server. */
export interface TapJoinRequest {
  /** Name of the server, as given to `swarmlens tap --server`. */
  readonly name: string;
  /** Random id of the tap process, equal on all its connections. */
  readonly instance: string;
  /** Identity of the MCP client that started the tap. Null if it is unknown. */
  readonly client?: string | null;
  /** Processes and directory of the tapped server. Omitted by earlier versions of the tap. */
  readonly origin?: ServerOrigin | undefined;
  /** Names of the tools that the tap allows clients to call. */
  readonly allowTools: readonly string[];
  readonly socket: MessageSocket;
}

/** Poll limits behind a tap. They are low because calls of the observed client wait while a poll is answered. */
const MAX_POLL_HZ = 10;
const MAX_POLL_SHARE = 0.1;
/** Timeout of the handshake, which starts when the observed client sends its first request. */
const CONNECT_TIMEOUT_MS = 600_000;
const MAX_TAPS = 256;
const MAX_INSTANCE_LENGTH = 64;

/** Most tap processes that are remembered for each server as replaced by a later one. */
const MAX_REPLACED = 16;

interface RegisteredTap {
  readonly id: string;
  /** Name of the server as given to the tap. */
  readonly name: string;
  readonly connection: TapConnection;
  instance: string;
  client: string | null;
  /** Instances of tap processes that a later one of the same client has replaced. */
  replaced: readonly string[];
  allowTools: readonly string[];
  origin: ServerOrigin | undefined;
  /** Current WebSocket. Null while the tap is not connected. */
  socket: MessageSocket | null;
}

/** Registers the servers behind taps as upstream servers, and removes them some time after their session has ended. */
export class TapRegistry {
  readonly #deps: TapRegistryDeps;
  readonly #taps = new Map<string, RegisteredTap>();

  constructor(deps: TapRegistryDeps) {
    this.#deps = deps;
  }

  /** Registers a tap, or closes its WebSocket with the reason why it is rejected. */
  join(request: TapJoinRequest): void {
    const { name, instance, socket } = request;
    if (!isServerName(name) || instance === '' || instance.length > MAX_INSTANCE_LENGTH) {
      socket.close(TAP_CLOSE_REJECTED.badRequest, 'a tap needs a name without a colon, and an instance');
    } else if (this.#deps.isConfigured(name)) {
      this.#reject(socket, name, 'the configuration of swarmlens contains a server of this name');
    } else if (this.#isReplaced(name, instance)) {
      socket.close(TAP_CLOSE_REJECTED.isReplaced, 'the MCP client has started the server again');
    } else {
      this.#register(request);
    }
  }

  /** Returns whether a later tap of the same client is connected instead of this one. */
  #isReplaced(name: string, instance: string): boolean {
    return [...this.#taps.values()].some(
      (tap) => tap.name === name && tap.socket !== null && tap.replaced.includes(instance),
    );
  }

  #register({ name, instance, client = null, origin, allowTools, socket }: TapJoinRequest): void {
    const { upstreams, logger } = this.#deps;
    const tap = this.#findReturning(name, instance, client) ?? this.#create(name, instance);
    if (tap === null) {
      socket.close(CLOSE_TRY_AGAIN_LATER, 'too many taps');
      return;
    }
    const { id, connection } = tap;
    const isNew = !this.#taps.has(id);
    if (tap.socket !== null && tap.instance !== instance) {
      tap.replaced = [...tap.replaced, tap.instance].slice(-MAX_REPLACED);
      tap.socket.close(TAP_CLOSE_REJECTED.isReplaced, 'the MCP client has started the server again');
    }
    tap.instance = instance;
    tap.client = client;
    tap.allowTools = allowTools;
    tap.origin = origin;
    tap.socket = socket;
    connection.attach(socket);
    socket.once('close', (code, reason) => this.#handleClose(tap, socket, code, reason.toString()));
    if (!isNew) {
      upstreams.reconfigure(this.#toUpstreamOptions(tap));
      if (upstreams.reconnect(id)) return;
      // The server has just been removed after a long absence. The tap registers anew when it reconnects.
      this.#taps.delete(id);
      socket.close(CLOSE_SERVICE_RESTART, 'try again');
      return;
    }
    try {
      upstreams.add(this.#toUpstreamOptions(tap));
    } catch (error) {
      this.#reject(socket, name, errorMessage(error));
      return;
    }
    this.#taps.set(id, tap);
    this.#releaseTakenName(tap).catch((error: unknown) => {
      logger.error({ serverId: id, error: errorMessage(error) }, 'tap was not released');
    });
    logger.info({ serverId: id }, 'tap joined');
  }

  /** Closes a tap whose name another node took at the same time. The tap reconnects and gets the next free name. */
  async #releaseTakenName(tap: RegisteredTap): Promise<void> {
    const { upstreams } = this.#deps;
    const { id } = tap;
    if ((await upstreams.isOwnedHere(id)) || this.#taps.get(id) !== tap || !upstreams.isOwnedElsewhere(id)) return;
    this.#taps.delete(id);
    tap.socket?.close(CLOSE_SERVICE_RESTART, 'try again');
    await upstreams.remove(id);
  }

  /**
   * Returns the registration of the same tap process, one of the same name and MCP client, which has started the server again,
   * or a disconnected one with the same name.
   */
  #findReturning(name: string, instance: string, client: string | null): RegisteredTap | null {
    const taps = [...this.#taps.values()];
    return (
      taps.find((tap) => tap.instance === instance) ??
      taps.find((tap) => client !== null && tap.name === name && tap.client === client) ??
      this.#findDisconnected(name)
    );
  }

  #findDisconnected(name: string): RegisteredTap | null {
    for (const id of this.#availableIds(name)) {
      const tap = this.#taps.get(id);
      if (tap === undefined) return null;
      if (tap.socket === null) return tap;
    }
    return null;
  }

  /** Returns null if there are too many taps. */
  #create(name: string, instance: string): RegisteredTap | null {
    if (this.#taps.size >= MAX_TAPS) this.#forgetRemoved();
    if (this.#taps.size >= MAX_TAPS) return null;
    const id = this.#availableIds(name).find((candidate) => !this.#taps.has(candidate));
    if (id === undefined) return null;
    const connection = new TapConnection();
    return {
      id,
      name,
      connection,
      instance,
      client: null,
      replaced: [],
      allowTools: [],
      origin: undefined,
      socket: null,
    };
  }

  /** Drops the registrations of taps whose servers have been removed. */
  #forgetRemoved(): void {
    for (const [id, { socket }] of this.#taps) {
      if (socket === null && !this.#deps.upstreams.reconnect(id)) this.#taps.delete(id);
    }
  }

  /** Returns the ids that a tap of this name may get. A second window of the same MCP client has the same name. */
  #availableIds(name: string): string[] {
    const ids = Array.from({ length: MAX_TAPS }, (_, index) => (index === 0 ? name : `${name}-${index + 1}`));
    const { isConfigured, upstreams } = this.#deps;
    // A tap of this node may still be announced as owned by another node.
    return ids.filter((id) => !isConfigured(id) && (this.#taps.has(id) || !upstreams.isOwnedElsewhere(id)));
  }

  #handleClose(tap: RegisteredTap, socket: MessageSocket, code: number, reason: string): void {
    const hasEnded = code === TAP_CLOSE_ENDED.code && reason === TAP_CLOSE_ENDED.reason;
    tap.connection.detach(socket, hasEnded);
    if (tap.socket === socket) tap.socket = null;
  }

  #reject(socket: MessageSocket, name: string, reason: string): void {
    const { bus, clock, logger } = this.#deps;
    socket.close(TAP_CLOSE_REJECTED.nameIsTaken, truncateCloseReason(reason));
    const message = `Rejected a tap for server "${name}": ${reason}. Choose another --server for the tap, or remove the other server from the configuration.`;
    logger.warn({ code: 'TAP_REFUSED' }, message);
    const notice = { type: 'notice', code: 'TAP_REFUSED', severity: 'WARNING', message, serverId: null } as const;
    const published = bus.publish({ ...emptyDelta(''), events: [{ ...notice, timestamp: isoTimestamp(clock) }] });
    published.catch((error: unknown) => logger.error({ error: errorMessage(error) }, 'notice was not published'));
  }

  /** Returns the mapping of a name, or of the name without a number that a user has added. Null if there is none. */
  #mappingOf(name: string): ServerMapping | null {
    const { mappings } = this.#deps;
    return mappings?.get(name) ?? mappings?.get(name.replace(/-\d+$/, '')) ?? null;
  }

  #toUpstreamOptions({ id, name, connection, origin, allowTools }: RegisteredTap): UpstreamOptions {
    const mapping = this.#mappingOf(name);
    return {
      ...this.#deps.defaults,
      ...(mapping === null ? {} : { mapping, serverType: 'CUSTOM' }),
      id,
      endpoint: { type: 'tap', link: connection },
      origin,
      allowTools,
      maxPollHz: MAX_POLL_HZ,
      maxPollShare: MAX_POLL_SHARE,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      removeWhenExpired: true,
    };
  }
}
