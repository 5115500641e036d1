import type { SubscriptionFilter } from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { Clock } from '../shared/index.js';
import { deriveGuardedSignal, type GuardedSignal } from './call-guard.js';
import { ChangeReaction } from './change-reaction.js';
import { ToolRejectedError } from './errors.js';
import type { GuardedClient } from './guarded-client.js';
import { listResourceUris } from './resource-list.js';

export interface ChangeWatchOptions {
  readonly client: GuardedClient;
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Returns whether to watch resources, and not only the list of tools. */
  readonly watchesResources: () => boolean;
  /** Runs a request with the deadline and in the guard of the session. */
  readonly request: <T>(label: string, call: (signal: GuardedSignal) => Promise<T>) => Promise<T>;
  /** Called when resources are watched from now on. Changes before were not announced. */
  readonly onWatched: () => void;
  readonly onFailure: (error: unknown) => void;
}

const anyResultSchema = z.unknown();

/**
 * Watches a server for changes, which arrive as notifications. Uses `subscriptions/listen` since 2026-07-28 and
 * `resources/subscribe` before. A subscription that ends is renewed more and more slowly.
 */
export class ChangeWatch {
  readonly #options: ChangeWatchOptions;
  readonly #renewal: ChangeReaction;
  /** Resources that are subscribed one by one. */
  readonly #subscribed = new Set<string>();
  #listening: AbortController | null = null;

  constructor(options: ChangeWatchOptions) {
    this.#options = options;
    const { clock, signal, onFailure } = options;
    this.#renewal = new ChangeReaction({
      clock,
      signal,
      react: () => this.#subscribe(),
      onFailure: (error) => {
        onFailure(error);
        // The server does not support what it offers.
        return !(error instanceof ToolRejectedError) || error.retryAfterMs !== null;
      },
    });
  }

  /** Subscribes again, because the list of resources may have changed. */
  renew(): void {
    this.#renewal.trigger();
  }

  async #subscribe(): Promise<void> {
    const { client, watchesResources, request, onWatched } = this.#options;
    const resources = watchesResources();
    const { tools, resources: offered } = client.capabilities ?? {};
    const canSubscribe = resources && offered?.subscribe === true;
    const uris = canSubscribe ? await request('resources/list', (signal) => listResourceUris(client, signal)) : [];
    if (client.era === 'MODERN') {
      await this.#listen({
        ...(tools?.listChanged === true ? { toolsListChanged: true } : {}),
        ...(resources && offered?.listChanged === true ? { resourcesListChanged: true } : {}),
        ...(uris.length > 0 ? { resourceSubscriptions: [...uris] } : {}),
      });
      if (uris.length > 0) onWatched();
      return;
    }
    const added = uris.filter((uri) => !this.#subscribed.has(uri));
    for (const uri of added) {
      await request('resources/subscribe', (signal) =>
        client.request({ method: 'resources/subscribe', params: { uri } }, anyResultSchema, signal),
      );
      this.#subscribed.add(uri);
    }
    if (added.length > 0) onWatched();
  }

  /** Replaces the open subscription, and renews the new one when it ends. */
  async #listen(filter: SubscriptionFilter): Promise<void> {
    const { client, signal, request } = this.#options;
    this.#listening?.abort(new Error('replaced by another subscription'));
    if (Object.keys(filter).length === 0) return;
    const listening = new AbortController();
    this.#listening = listening;
    const end = (): void => listening.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    try {
      const { closed } = await request('subscriptions/listen', async (guarded) => {
        const abort = (): void => listening.abort(guarded.reason);
        guarded.addEventListener('abort', abort, { once: true });
        try {
          return await client.listen(filter, deriveGuardedSignal(guarded, listening));
        } finally {
          guarded.removeEventListener('abort', abort);
        }
      });
      closed.then(
        (cause) => {
          signal.removeEventListener('abort', end);
          if (cause !== 'local') this.renew();
        },
        () => undefined,
      );
    } catch (error) {
      signal.removeEventListener('abort', end);
      throw error;
    }
  }
}
