import type { WebSocket } from 'ws';
import type { Bus } from '../cluster/index.js';
import type { UpstreamRegistry } from './upstream-registry.js';
import { TapConnection } from '../mcp/index.js';
import { type Clock, errorMessage, isoTimestamp, TAP_CLOSE_ENDED, TAP_CLOSE_REJECTED } from '../shared/index.js';
import { isServerName } from '../model/index.js';
import { emptyDelta } from '../state/index.js';
import type { Logger } from '../telemetry/index.js';

export interface TapRegistryDeps {
  readonly collector: Pick<UpstreamRegistry, 'add' | 'remove' | 'reconnect' | 'isOwnedElsewhere' | 'isOwnedHere'>;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the configuration has a server of that name. */
  readonly isConfigured: (id: string) => boolean;
}

/** A tap that wants to join. */
export interface TapJoinRequest {
  /** The name that the person gave to the server. */
  readonly name: string;
  /** The same as long as the tap runs. */
  readonly instance: string;
  readonly socket: WebSocket;
}

/** It is the person's own session: their calls wait while one of ours is answered. */
const MAX_POLL_HZ = 10;
const MAX_POLL_SHARE = 0.1;
const TIMEOUT_MS = 3_000;
/** The person's client may take its time before it greets the server, and so may calls of the person's. */
const CONNECT_TIMEOUT_MS = 600_000;
const MAX_TAPS = 256;
const OVERLOAD = 1013;
const TRY_AGAIN = 1012;
const MAX_INSTANCE_LENGTH = 64;
/** What a close frame can carry: a longer reason would be an error here. */
const MAX_REASON_BYTES = 123;

interface RegisteredTap {
  readonly id: string;
  readonly link: TapConnection;
  instance: string;
  /** `null`: the tap is gone. */
  socket: WebSocket | null;
}

/** The servers that people's taps let us watch: they join under the name that the person gave, and leave with their session. */
export class TapRegistry {
  readonly #deps: TapRegistryDeps;
  readonly #tapped = new Map<string, RegisteredTap>();

  constructor(deps: TapRegistryDeps) {
    this.#deps = deps;
  }

  /** Takes a tap in, or closes its socket saying why not. */
  join({ name, instance, socket }: TapJoinRequest): void {
    if (!isServerName(name) || instance === '' || instance.length > MAX_INSTANCE_LENGTH) {
      socket.close(TAP_CLOSE_REJECTED.badRequest, 'a tap has a name, without a colon, and an instance');
    } else if (this.#deps.isConfigured(name)) {
      this.#refuse(socket, name, 'the configuration of swarmlens has a server of this name');
    } else {
      this.#join({ name, instance, socket });
    }
  }

  #join({ name, instance, socket }: TapJoinRequest): void {
    const { collector, logger } = this.#deps;
    const tapped = this.#returning(name, instance) ?? this.#newOne(name, instance);
    if (tapped === null) {
      socket.close(OVERLOAD, 'too many taps');
      return;
    }
    const { id, link } = tapped;
    const isNew = !this.#tapped.has(id);
    tapped.instance = instance;
    tapped.socket = socket;
    link.attach(socket);
    socket.once('close', (code, reason) => this.#left(tapped, socket, code, reason.toString()));
    if (!isNew) {
      if (collector.reconnect(id)) return;
      // It had been gone for so long that it is just leaving the picture: it comes back as a new one.
      this.#tapped.delete(id);
      socket.close(TRY_AGAIN, 'try again');
      return;
    }
    try {
      collector.add(settingsOf(id, link));
    } catch (error) {
      this.#refuse(socket, name, errorMessage(error));
      return;
    }
    this.#tapped.set(id, tapped);
    this.#yield(tapped).catch((error: unknown) => logger.error({ serverId: id, error: errorMessage(error) }, 'tap'));
    logger.info({ serverId: id }, 'a tapped server has joined');
  }

  /** Another node may have taken the name in the same moment: the tap comes back, and gets the next one. */
  async #yield(tapped: RegisteredTap): Promise<void> {
    const { collector } = this.#deps;
    const { id } = tapped;
    if ((await collector.isOwnedHere(id)) || this.#tapped.get(id) !== tapped || !collector.isOwnedElsewhere(id)) return;
    this.#tapped.delete(id);
    tapped.socket?.close(TRY_AGAIN, 'try again');
    await collector.remove(id);
  }

  /** The same tap, or one that has this name while nobody else's tap has. */
  #returning(name: string, instance: string): RegisteredTap | null {
    const all = [...this.#tapped.values()];
    return all.find((one) => one.instance === instance) ?? this.#gone(name);
  }

  #gone(name: string): RegisteredTap | null {
    for (const id of this.#names(name)) {
      const tapped = this.#tapped.get(id);
      if (tapped === undefined) return null;
      if (tapped.socket === null) return tapped;
    }
    return null;
  }

  #newOne(name: string, instance: string): RegisteredTap | null {
    if (this.#tapped.size >= MAX_TAPS) this.#forgetLeft();
    if (this.#tapped.size >= MAX_TAPS) return null;
    const id = this.#names(name).find((one) => !this.#tapped.has(one));
    if (id === undefined) return null;
    return { id, link: new TapConnection(), instance, socket: null };
  }

  /** Of taps whose servers have left the picture nothing need be known. */
  #forgetLeft(): void {
    for (const [id, { socket }] of this.#tapped) {
      if (socket === null && !this.#deps.collector.reconnect(id)) this.#tapped.delete(id);
    }
  }

  /** A second window of the same program has the same configuration. */
  #names(name: string): string[] {
    const numbered = Array.from({ length: MAX_TAPS }, (_, index) => (index === 0 ? name : `${name}-${index + 1}`));
    const { isConfigured, collector } = this.#deps;
    // What is this node's own is not elsewhere, whatever was heard of it.
    return numbered.filter((id) => !isConfigured(id) && (this.#tapped.has(id) || !collector.isOwnedElsewhere(id)));
  }

  #left(tapped: RegisteredTap, socket: WebSocket, code: number, reason: string): void {
    const hasEnded = code === TAP_CLOSE_ENDED.code && reason === TAP_CLOSE_ENDED.reason;
    tapped.link.detach(socket, hasEnded ? "the person's session has ended" : 'the tap is not connected');
    if (tapped.socket === socket) tapped.socket = null;
  }

  #refuse(socket: WebSocket, name: string, why: string): void {
    const { bus, clock, logger } = this.#deps;
    socket.close(TAP_CLOSE_REJECTED.nameIsTaken, Buffer.byteLength(why) > MAX_REASON_BYTES ? 'the name is taken' : why);
    const message = `a tap was refused that calls its server "${name}": ${why}; give it another --server, or take the other one out of the configuration`;
    logger.warn({ code: 'TAP_REFUSED' }, message);
    const notice = { type: 'notice', code: 'TAP_REFUSED', severity: 'WARNING', message, serverId: null } as const;
    const published = bus.publish({ ...emptyDelta(''), events: [{ ...notice, timestamp: isoTimestamp(clock) }] });
    published.catch((error: unknown) => logger.error({ error: errorMessage(error) }, 'notice was not published'));
  }
}

function settingsOf(id: string, link: TapConnection): Parameters<UpstreamRegistry['add']>[0] {
  return {
    id,
    endpoint: { type: 'tap', link },
    serverType: null,
    maxPollHz: MAX_POLL_HZ,
    maxPollShare: MAX_POLL_SHARE,
    allowTools: [],
    timeoutMs: TIMEOUT_MS,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    removeWhenExpired: true,
  };
}
