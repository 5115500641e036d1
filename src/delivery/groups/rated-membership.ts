import type { PerformanceMode } from '../../model/index.js';
import type { RateLimit } from '../ticks/rate-limit.js';
import type { GroupMember, GroupMembership, PositionedMembership } from './subscription-group.js';

/** Requested update rate of a stream. */
export interface StreamRateRequest {
  readonly mode: PerformanceMode;
  readonly rateLimit: RateLimit;
}

/**
 * Membership in the group of the current rate. When the rate limit of the connection changes, the member continues in the
 * group of the new rate after the last update that it received.
 */
export class RatedMembership<T> implements GroupMembership {
  readonly #member: GroupMember<T>;
  readonly #rate: StreamRateRequest;
  readonly #join: (hz: number, member: GroupMember<T>) => PositionedMembership;
  readonly #listener: Disposable;
  #hz: number;
  #current: PositionedMembership;

  /** @param join joins the group of a rate */
  constructor(
    member: GroupMember<T>,
    rate: StreamRateRequest,
    join: (hz: number, member: GroupMember<T>) => PositionedMembership,
  ) {
    this.#member = member;
    this.#rate = rate;
    this.#join = join;
    this.#hz = rate.rateLimit.hzOf(rate.mode);
    this.#current = join(this.#hz, member);
    this.#listener = rate.rateLimit.onChange(() => this.#follow());
  }

  notifyReady(): void {
    this.#current.notifyReady();
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
    this.#current[Symbol.dispose]();
  }

  #follow(): void {
    const hz = this.#rate.rateLimit.hzOf(this.#rate.mode);
    if (hz === this.#hz) return;
    this.#hz = hz;
    const member = this.#member;
    const previous = this.#current;
    // Joins before it leaves, so that what both groups share stays open.
    this.#current = this.#join(hz, {
      after: previous.deliveredPosition,
      canReceive: () => member.canReceive(),
      deliver: (rendered) => member.deliver(rendered),
    });
    previous[Symbol.dispose]();
  }
}
