import type { RedisLink } from '../bus/index.js';
import { type Clock, messageOf, Pulse } from '../shared/index.js';
import type { Store } from '../state/index.js';
import type { Logger } from '../telemetry/index.js';
import { Calls } from './calls.js';
import { FarServers } from './far-servers.js';
import { Lease, type LeaseDeps, type SharedPicture } from './lease.js';
import { LeaseBook } from './lease-book.js';
import { LeaseSet } from './lease-set.js';
import { type News, readLetter, readNews, VERSION } from './messages.js';
import type { Claim, Claimed, OtherNodes, Ownership } from './ownership.js';
import { type NodeDemand, Wishes } from './wishes.js';

export interface LeasesDeps {
  readonly link: RedisLink;
  /** How long a lease lasts that is not renewed, milliseconds; 200 or more. */
  readonly leaseMs: number;
  readonly picture: SharedPicture;
  readonly store: Store;
  readonly demand: NodeDemand;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Leases are renewed so often within the time that they last. */
const RENEWALS = 3;

/**
 * Of all nodes on one Redis, the one that holds its lease watches a server. A node that is gone is followed within two
 * lease times; one that stops releases its leases, and is followed at once.
 */
export class Leases implements Ownership {
  readonly others: OtherNodes;
  readonly #deps: LeasesDeps;
  readonly #book: LeaseBook;
  readonly #leases: LeaseSet;
  /** Those that were given up and may still be released. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #calls: Calls;
  readonly #far: FarServers;
  readonly #wishes: Wishes;
  readonly #pulse: Pulse;
  readonly #stop = new AbortController();
  readonly #linkWatch: Disposable;
  readonly #running: Promise<void>;

  constructor(deps: LeasesDeps) {
    this.#deps = deps;
    const { link, clock, leaseMs } = deps;
    this.#book = new LeaseBook(link, leaseMs);
    this.#leases = new LeaseSet(this.#book, clock, leaseMs);
    this.#pulse = new Pulse(clock);
    this.#calls = new Calls({ ...deps, claimOf: (serverId) => this.#watchedClaim(serverId) });
    this.#far = new FarServers(this.#calls);
    this.others = this.#far;
    this.#wishes = new Wishes({ ...deps, watchedElsewhere: () => this.#far.holders });
    this.#linkWatch = link.onChange(() => {
      if (link.isUp) this.#pulse.ring();
      else this.#calls.giveUp(() => true, 'Redis is away');
    });
    this.#running = this.#run(this.#stop.signal);
  }

  /** Nodes that live, this one included, as far as is known. */
  get nodes(): readonly string[] {
    return this.#leases.nodes;
  }

  /** Calls between nodes that are under way, and wishes of other nodes that are followed. */
  get pending(): number {
    return this.#calls.size + this.#wishes.size;
  }

  /** The fencing number under which this node watches a server; `null`: it does not. */
  termOf(serverId: string): number | null {
    return this.#leases.get(serverId)?.watched ?? null;
  }

  /** A write was refused, because another node has taken the server. */
  fenced(serverId: string): void {
    const lease = this.#leases.get(serverId);
    if (lease !== undefined) this.#try(lease.look(), serverId);
  }

  claim(serverId: string, claim: Claim): Claimed {
    const lease = new Lease(serverId, claim, this.#leaseDeps());
    const before = this.#leaving.get(serverId) ?? Promise.resolve();
    let isGivenUp = false;
    const begun = before.then(() => {
      if (isGivenUp) return;
      this.#leases.add(lease);
      this.#pulse.ring();
    });
    return {
      settled: lease.settled,
      [Symbol.asyncDispose]: async () => {
        isGivenUp = true;
        const leaving = begun.then(() => this.#leases.remove(lease));
        this.#leaving.set(serverId, leaving);
        await leaving;
        if (this.#leaving.get(serverId) === leaving) this.#leaving.delete(serverId);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#linkWatch[Symbol.dispose]();
    await Promise.all(this.#leases.all().map((lease) => this.#leases.remove(lease)));
    this.#wishes[Symbol.dispose]();
    this.#calls[Symbol.dispose]();
    if (!this.#deps.link.isUp) return;
    await this.#book.leave().catch((error: unknown) => this.#complain(error, 'this node did not leave the list'));
  }

  #leaseDeps(): LeaseDeps {
    const { link, picture, clock, logger } = this.#deps;
    return {
      nodeId: link.nodeId,
      book: this.#book,
      picture,
      clock,
      logger,
      onHeld: ({ serverId, watched }) => {
        if (watched !== null) this.#tell([VERSION, 'held', serverId, link.nodeId, watched]);
      },
      onOther: ({ serverId, other, otherHealth }) => this.#far.note(serverId, other, otherHealth),
      onFree: ({ serverId, other }, leaves) => {
        this.#wishes.forget(serverId);
        if (other === null) this.#tell([VERSION, 'free', serverId, link.nodeId, leaves]);
      },
    };
  }

  /** What this node watches can be asked of it. */
  #watchedClaim(serverId: string): Claim | null {
    const lease = this.#leases.get(serverId);
    return lease === undefined || lease.watched === null ? null : lease.claim;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { link, clock, leaseMs } = this.#deps;
    const heard: AsyncDisposable[] = [];
    // While Redis is away that waits, until the link is closed if need be: nobody waits for it here.
    const hear = (channel: string, callback: (message: unknown) => void): void => {
      link.subscribe(channel, callback).then(
        async (one) => {
          if (signal.aborted) await one[Symbol.asyncDispose]();
          else heard.push(one);
        },
        (error: unknown) => this.#complain(error, 'other nodes cannot be heard'),
      );
    };
    hear(link.names.shared('leases'), (message) => this.#hear(message));
    hear(link.names.node(link.nodeId), (message) => this.#read(message));
    while (!signal.aborted) {
      const dueMs = clock.monotonic() + leaseMs / RENEWALS;
      if (link.isUp) {
        await this.#round().catch((error: unknown) => this.#complain(error, 'leases were not looked after'));
      }
      // Not at once, whatever is wrong with what should have been taken long ago.
      const pauseMs = Math.max(Math.min(dueMs, this.#leases.nextTakeMs) - clock.monotonic(), leaseMs / 30);
      await this.#pulse.wait(pauseMs, signal);
    }
    for (const one of heard) await one[Symbol.asyncDispose]();
  }

  /** Looks after everything once: who lives, which leases this node has, what other nodes watch. */
  async #round(): Promise<void> {
    const { store } = this.#deps;
    await this.#leases.lookAfter();
    const { nodes } = this.#leases;
    this.#calls.giveUp((nodeId) => !nodes.includes(nodeId), 'the node that was asked is gone');
    // Servers in the picture that this node would not watch: taps of another one, say.
    const ids = new Set([...store.servers.values()].map(({ id }) => id).concat(this.#far.serverIds));
    await Promise.all([...ids].map((serverId) => this.#lookAt(serverId)));
    this.#wishes.tellAgain();
  }

  /** What is known of a server that another node watches. */
  async #lookAt(serverId: string): Promise<void> {
    if (this.#leases.get(serverId) !== undefined) return;
    const { holder, health } = await this.#book.look(serverId);
    if (this.#leases.get(serverId) !== undefined) return;
    this.#far.note(serverId, holder?.nodeId === this.#deps.link.nodeId ? null : holder, health);
  }

  #isHeld(serverId: string): boolean {
    const lease = this.#leases.get(serverId);
    return lease !== undefined && lease.held !== null;
  }

  #tell(news: News): void {
    const { link } = this.#deps;
    // All look by themselves soon enough.
    link
      .publish(link.names.shared('leases'), news)
      .catch((error: unknown) => this.#complain(error, 'news was not told'));
  }

  /** What another node tells all. */
  #hear(message: unknown): void {
    const news = readNews(message);
    if (news === null || news[3] === this.#deps.link.nodeId) return;
    const lease = this.#leases.get(news[2]);
    if (news[1] === 'held') {
      const [, , serverId, nodeId, term] = news;
      lease?.heardOf({ nodeId, term });
      if (!this.#isHeld(serverId)) this.#far.note(serverId, { nodeId, term });
      this.#wishes.tellSoon();
      return;
    }
    const [, , serverId, nodeId, leaves] = news;
    this.#far.note(serverId, null);
    this.#try(this.#leases.freed(lease, leaves ? nodeId : null), serverId);
  }

  /** What another node tells this one. */
  #read(message: unknown): void {
    const letter = readLetter(message);
    if (letter === null) return;
    if (letter[1] !== 'want') this.#calls.take(letter);
    else if (this.#isHeld(letter[3])) this.#wishes.heard(letter);
  }

  #try(done: Promise<unknown>, serverId: string): void {
    done.catch((error: unknown) => this.#complain(error, `the lease of ${serverId} was not looked at`));
  }

  /** While Redis is away that is said elsewhere, once. */
  #complain(error: unknown, what: string): void {
    const { link, logger } = this.#deps;
    const reason = { error: messageOf(error) };
    if (link.isUp) logger.warn(reason, what);
    else logger.debug(reason, what);
  }
}
