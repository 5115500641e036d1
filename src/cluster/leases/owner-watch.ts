import type { Clock } from '../../shared/index.js';

/** Share of the lease duration without a renewal after which an owner counts as silent. */
const SILENT_AFTER_LEASES = 0.5;
/** Share of the lease duration after which a missing renewal is confirmed by another look. */
const CONFIRM_AFTER_LEASES = 0.05;

interface WatchedOwner {
  /** Monotonic time of the last renewal, or of the first look if none is known. */
  aliveAtMs: number;
  /** Monotonic time of the look that first missed a renewal. Null if none is missing. */
  suspectedAtMs: number | null;
  isSilent: boolean;
}

/**
 * Notices owners of servers that stop renewing their leases, before the leases expire. An owner counts as silent after two looks at
 * Redis. A stall of this process therefore makes no owner silent, and neither does a short pause of Redis.
 */
export class OwnerWatch {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #onChange: (serverId: string, isSilent: boolean) => void;
  readonly #owners = new Map<string, WatchedOwner>();

  constructor(clock: Clock, leaseMs: number, onChange: (serverId: string, isSilent: boolean) => void) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#onChange = onChange;
  }

  /** Monotonic time at which the owners must be looked at again. Infinity if there are none. */
  get nextLookMs(): number {
    const times = [...this.#owners.values()].map(({ aliveAtMs, suspectedAtMs, isSilent }) => {
      if (isSilent) return aliveAtMs + this.#leaseMs;
      if (suspectedAtMs !== null) return suspectedAtMs + this.#leaseMs * CONFIRM_AFTER_LEASES;
      return aliveAtMs + this.#leaseMs * SILENT_AFTER_LEASES;
    });
    // The time of a lease that has expired is in the past.
    return Math.min(...times.filter((time) => time > this.#clock.monotonic()));
  }

  /** Returns whether the owner of a server stopped renewing its lease. */
  isSilent(serverId: string): boolean {
    return this.#owners.get(serverId)?.isSilent ?? false;
  }

  /**
   * Records a look at the lease of a server.
   * @param ageMs time since the last renewal. Null if the server has no owner
   */
  observe(serverId: string, ageMs: number | null): void {
    const nowMs = this.#clock.monotonic();
    let owner = this.#owners.get(serverId);
    if (owner === undefined) {
      owner = { aliveAtMs: nowMs, suspectedAtMs: null, isSilent: false };
      this.#owners.set(serverId, owner);
    }
    if (ageMs !== null) owner.aliveAtMs = nowMs - ageMs;
    if (nowMs - owner.aliveAtMs <= this.#leaseMs * SILENT_AFTER_LEASES) {
      owner.suspectedAtMs = null;
      this.#set(serverId, owner, false);
    } else if (owner.suspectedAtMs === null) owner.suspectedAtMs = nowMs;
    else if (nowMs > owner.suspectedAtMs) this.#set(serverId, owner, true);
  }

  /** Stops watching a server, because this node owns it or because it does not exist any more. */
  forget(serverId: string): void {
    const owner = this.#owners.get(serverId);
    this.#owners.delete(serverId);
    if (owner !== undefined) this.#set(serverId, owner, false);
  }

  /** Stops watching all servers that are not listed. */
  keep(serverIds: ReadonlySet<string>): void {
    for (const serverId of [...this.#owners.keys()]) if (!serverIds.has(serverId)) this.forget(serverId);
  }

  #set(serverId: string, owner: WatchedOwner, isSilent: boolean): void {
    if (owner.isSilent === isSilent) return;
    owner.isSilent = isSilent;
    this.#onChange(serverId, isSilent);
  }
}
