import {
  type Agent,
  AgentPatchesDocument,
  AgentUpdatesDocument,
  applyAgentUpdate,
  type McpServerType,
  type OperationRunner,
  type PerformanceMode,
  type PictureUpdate,
  run,
} from '../src/client/index.js';

export interface Filters {
  /** `null`: all. */
  readonly serverTypes: readonly McpServerType[] | null;
  readonly mode: PerformanceMode;
}

/** An update, after which the picture is `agents`. */
export interface Arrival {
  readonly agents: ReadonlyMap<string, Agent>;
  readonly kind: 'SNAPSHOT' | 'DELTA';
  readonly rate: { readonly requestedHz: number; readonly effectiveHz: number };
  readonly staleServerIds: readonly string[];
}

export interface AgentStreamOptions {
  readonly client: OperationRunner;
  readonly onArrival: (arrival: Arrival) => void;
  /** The stream broke; it is tried again after `retryMs`. */
  readonly onProblem: (error: unknown) => void;
  readonly retryMs: number;
}

type Update = PictureUpdate & Omit<Arrival, 'agents'> & { readonly cursor: string };

/**
 * The agents, kept up to date: whole ones once, then patches from that cursor on. When a patch stream says that its
 * cursor is too old (the server was restarted, say), it begins again with whole ones.
 */
export class AgentStream implements Disposable {
  readonly #options: AgentStreamOptions;
  #picture: ReadonlyMap<string, Agent> = new Map();
  #cursor: string | null = null;
  #running = new AbortController();

  constructor(options: AgentStreamOptions) {
    this.#options = options;
  }

  /** Follows what these filters let through, going on from the picture so far. */
  follow(filters: Filters): void {
    this.#running.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    this.#keepOn(filters, signal).catch((error: unknown) => this.#options.onProblem(error));
  }

  [Symbol.dispose](): void {
    this.#running.abort();
  }

  async #keepOn(filters: Filters, signal: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      try {
        if (this.#cursor === null) await this.#takeSnapshot(filters, signal);
        else await this.#takePatches(filters, this.#cursor, signal);
      } catch (error) {
        if (isOver()) return;
        this.#cursor = null;
        this.#options.onProblem(error);
        await pause(this.#options.retryMs, signal);
      }
    }
  }

  async #takeSnapshot({ mode, serverTypes }: Filters, signal: AbortSignal): Promise<void> {
    const updates = run(this.#options.client, AgentUpdatesDocument, { mode, serverTypes });
    await each(updates, signal, ({ agentUpdates }) => {
      this.#apply(agentUpdates);
      return 'enough';
    });
  }

  async #takePatches({ mode, serverTypes }: Filters, cursor: string, signal: AbortSignal): Promise<void> {
    const variables = { mode, serverTypes, after: cursor };
    const updates = run(this.#options.client, AgentPatchesDocument, variables);
    await each(updates, signal, ({ agentUpdates }) => {
      if (agentUpdates.kind === 'SNAPSHOT') {
        this.#cursor = null;
        return 'enough';
      }
      this.#apply(agentUpdates);
      // graphql-ws sends the same variables again when it reconnects: it goes on from here then, not from the beginning.
      variables.after = agentUpdates.cursor;
      return 'more';
    });
  }

  #apply(update: Update): void {
    this.#picture = applyAgentUpdate(this.#picture, update);
    this.#cursor = update.cursor;
    const { kind, rate, staleServerIds } = update;
    this.#options.onArrival({ agents: this.#picture, kind, rate, staleServerIds });
  }
}

/** Hands over each result until there are enough of them or `signal` is aborted, then completes the operation. */
async function each<T>(
  results: AsyncIterableIterator<T>,
  signal: AbortSignal,
  take: (result: T) => 'enough' | 'more',
): Promise<void> {
  const complete = (): void => {
    // Completing a subscription has no answer that could fail; what iterating it throws is told there.
    results.return?.().catch(() => undefined);
  };
  signal.addEventListener('abort', complete, { once: true });
  try {
    for await (const result of results) if (signal.aborted || take(result) === 'enough') return;
  } finally {
    signal.removeEventListener('abort', complete);
  }
  if (!signal.aborted) throw new Error('the server ended the stream');
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
