import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { codingAgentDirectory, type ObservedSource } from '../observer-format/index.js';
import { type Clock, type Logger, stateDirectory, systemClock } from '../shared/index.js';
import { createClaudeCodeSource } from './claude-code/claude-code-source.js';
import { createCodexSource } from './codex/codex-source.js';
import { systemProcesses } from './files/process-table.js';
import type { ShownText } from './input/shown-text.js';
import { Observer, resolveRoot } from './observer.js';
import { PriceList } from './prices/price-list.js';
import type { HookReceiver } from './hooks/hook-request.js';
import { HookRelay } from './hooks/hook-relay.js';
import { type ListenAddress, serveHttp } from './serve/serve-http.js';
import { serveStreams } from './serve/serve-streams.js';
import type { Source, SourceOptions } from './source.js';

const INDEX_HASH_LENGTH = 12;

type Environment = Readonly<Record<string, string | undefined>>;

/** Functions that create the sources, by their names. */
const SOURCES: Readonly<Record<ObservedSource, (options: SourceOptions) => Source>> = {
  'claude-code': createClaudeCodeSource,
  codex: createCodexSource,
};

export interface RunObserverOptions {
  readonly source: ObservedSource;
  /** Directory in which the observed program keeps its files. Null for the usual one. */
  readonly root: string | null;
  readonly shownText: ShownText;
  readonly maxAgeMs: number;
  /** Address to serve HTTP at. Null for stdio. */
  readonly http: ListenAddress | null;
  /** Port on 127.0.0.1 for the events of hooks, which the observers of a user share. Null to receive none. */
  readonly hooksPort: number | null;
  /** Token that HTTP requests and hooks must present. Null for none. */
  readonly token: string | null;
  /** Path of a file with prices of models. Null for the bundled list prices only. */
  readonly priceFile: string | null;
  /** Version of swarmlens. */
  readonly version: string;
  readonly env: Environment;
  readonly logger: Logger;
  readonly clock?: Clock;
}

export interface RunningObserver extends AsyncDisposable {
  /** URL of the form `http://HOST:PORT/mcp`. Null for stdio. */
  readonly url: string | null;
  /** Receiver of the events of hooks. Null without a port for them. */
  readonly hooks: HookRelay | null;
  /** Resolves when standard input has ended. Never for HTTP. */
  readonly ended: Promise<void>;
}

/**
 * Starts an observer and serves it over MCP.
 * @throws PriceFileError if the price file cannot be used
 * @throws Error if other machines could connect without a token
 * @throws the system error if the port cannot be bound
 */
export async function runObserver(
  options: RunObserverOptions,
  io: { readonly stdin: Readable; readonly stdout: Writable },
): Promise<RunningObserver> {
  const { shownText, version, env, logger, maxAgeMs, clock = systemClock } = options;
  const prices = options.priceFile === null ? new PriceList() : await PriceList.read(options.priceFile);
  const givenRoot = options.root ?? codingAgentDirectory(options.source, env);
  const root = await resolveRoot(givenRoot);
  const observer = new Observer({
    source: SOURCES[options.source]({ shownText, prices }),
    root,
    givenRoot,
    maxAgeMs,
    indexFile: join(stateDirectory(env), indexName(options.source, root, shownText)),
    reader: `${version} ${shownText} ${root}`,
    processes: systemProcesses,
    clock,
    logger,
    epoch: randomUUID(),
  });
  const { source, http, token, hooksPort } = options;
  const deps = { observer, source, version, clock };
  const receiver: HookReceiver = {
    onEvent: (from, event) => {
      if (from === source) observer.applyHook(event);
    },
    onMalformed: () => observer.recordProblem('malformed-event'),
  };
  const hooks =
    hooksPort === null
      ? null
      : new HookRelay({
          ...receiver,
          source,
          port: hooksPort,
          token,
          stateDirectory: stateDirectory(env),
          clock,
          logger,
          random: Math.random,
        });
  const forwarding: HookReceiver =
    hooks === null ? receiver : { ...receiver, onEvent: (from, event) => hooks.publish(from, event) };
  try {
    const server =
      http === null
        ? serveStreams(deps, io.stdin, io.stdout)
        : await serveHttp(deps, { ...http, token, hooks: forwarding });
    return {
      url: 'url' in server ? server.url : null,
      hooks,
      ended: 'ended' in server ? server.ended : new Promise(() => undefined),
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]();
        await hooks?.[Symbol.asyncDispose]();
        await observer[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await hooks?.[Symbol.asyncDispose]();
    await observer[Symbol.asyncDispose]();
    throw error;
  }
}

/** Returns the name of the index. Observers of other directories, and those that show other texts, have their own. */
function indexName(source: ObservedSource, root: string, shownText: ShownText): string {
  const hash = createHash('sha256').update(`${root}\0${shownText}`).digest('hex').slice(0, INDEX_HASH_LENGTH);
  return `observer-${source}-${hash}.index`;
}
