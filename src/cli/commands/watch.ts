import { WebSocket } from 'ws';
import {
  type AgentStream,
  type ConnectionSnapshot,
  createSwarmClient,
  type HealthStream,
  OperationError,
  type PerformanceMode,
  type SwarmClient,
} from '@swarmlens/client';
import type { McpServerType } from '../../model/index.js';
import { didYouMean, systemClock } from '../../shared/index.js';
import { SecretRedactor } from '../../shared/sanitize/index.js';
import { parseFlags, parseList, parseServerTypes } from '../arguments.js';
import type { TerminalInput, TerminalOutput } from '../terminal/screen.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';
import { WatchLineFormatter } from '../watch/line-output.js';
import type { WatchData } from '../watch/watch-controller.js';

const DEFAULT_URL = 'http://127.0.0.1:4000';
const MODES: Readonly<Record<string, PerformanceMode>> = {
  high: 'HIGH_FREQUENCY',
  normal: 'NORMAL',
  low: 'LOW_FREQUENCY',
  'on-demand': 'ON_DEMAND',
};

/** Shows the agents and servers of a running swarmlens live, until the program is asked to stop. */
export async function watch(args: readonly string[], context: CommandContext): Promise<number> {
  const { env, stdout, stderr, stopped } = context;
  const flags = parseFlags('watch', args, {
    url: { type: 'string' },
    token: { type: 'string' },
    type: { type: 'string' },
    'server-type': { type: 'string' },
    swarm: { type: 'string' },
    mode: { type: 'string' },
    json: { type: 'boolean' },
  });
  const url = flags.url ?? DEFAULT_URL;
  const token = flags.token ?? env['SWARMLENS_TOKEN'];
  const filters = {
    agentTypes: parseList('watch', 'type', flags.type)?.map((type) => type.toLowerCase()) ?? null,
    serverTypes: parseServerTypes('watch', 'server-type', flags['server-type']),
    swarmIds: parseList('watch', 'swarm', flags.swarm),
  };
  const mode = parseMode(flags.mode);
  await using client = openClient(url, token);
  using agents = client.agents(filters, mode);
  const session = new WatchSession(client, agents, stopped, stdout);
  // A dumb terminal cannot move the cursor.
  const isFullScreen = flags.json !== true && stdout.isTTY === true && env['TERM'] !== 'dumb';
  if (isFullScreen) {
    // `NO_COLOR` counts if it is not empty (no-color.org).
    const hasColors = (env['NO_COLOR'] ?? '') === '';
    await drawTable(session, { url, stdin: context.stdin, stdout, serverTypes: filters.serverTypes, hasColors });
  } else {
    await printLines(session, stdout, flags.json === true);
  }
  if (session.failure === null) return 0;
  const failure = explainFailure(session.failure, url, token !== undefined);
  stderr.write(`${new SecretRedactor(token === undefined ? [] : [token]).redact(failure)}\n`);
  return 1;
}

function openClient(url: string, token: string | undefined): SwarmClient {
  try {
    return createSwarmClient({ url, webSocketImpl: WebSocket, ...(token !== undefined && { token }) });
  } catch (error) {
    if (error instanceof TypeError)
      throw new UsageError(`swarmlens watch: --url: ${error.message.replaceAll('`', '')}`);
    throw error;
  }
}

/** Reason why a watch session failed. */
type WatchFailure = { readonly connection: ConnectionSnapshot } | { readonly rejection: Error };

/** Ends when the program is asked to stop, the output is closed, or the connection fails permanently. */
class WatchSession implements Disposable {
  readonly client: SwarmClient;
  readonly agents: AgentStream;
  readonly ended: Promise<void>;
  failure: WatchFailure | null = null;
  readonly #detach: (() => void)[] = [];
  #hasBeenOpen = false;
  #resolveEnded: () => void = () => undefined;

  constructor(client: SwarmClient, agents: AgentStream, stopped: Promise<unknown>, stdout: TerminalOutput) {
    this.client = client;
    this.agents = agents;
    this.ended = new Promise((resolve) => {
      const end = (failure: WatchFailure | null): void => {
        this.failure ??= failure;
        resolve();
      };
      this.#resolveEnded = resolve;
      stopped.then(
        () => end(null),
        () => end(null),
      );
      // The reader, such as `head`, has closed the pipe.
      stdout.on('error', () => end(null));
      const check = (): void => {
        const connection = client.connection.getSnapshot();
        const { status, error } = agents.getSnapshot();
        this.#hasBeenOpen ||= connection.status === 'OPEN';
        if (status === 'ENDED' && error instanceof OperationError) end({ rejection: error });
        else if (connection.status === 'CLOSED') end({ connection });
        // Fails immediately if the first connection fails. Later, the client reconnects.
        else if (connection.status === 'RECONNECTING' && !this.#hasBeenOpen) end({ connection });
      };
      this.#detach.push(client.connection.subscribe(check), agents.subscribe(check));
      check();
    });
  }

  /** Ends the session, because the user asked for it. */
  end(): void {
    this.#resolveEnded();
  }

  [Symbol.dispose](): void {
    for (const unsubscribe of this.#detach.splice(0)) unsubscribe();
  }
}

async function printLines(session: WatchSession, stdout: TerminalOutput, isJson: boolean): Promise<void> {
  using _session = session;
  const lines = new WatchLineFormatter();
  const ended = session.ended.then(() => session.agents.dispose());
  try {
    for await (const update of session.agents) {
      const text = isJson ? lines.json(update) : lines.text(update);
      // Meanwhile the stream conflates updates, so that a slow reader has no backlog.
      if (!stdout.write(text)) await Promise.race([waitForDrain(stdout), session.ended]);
    }
  } catch {
    // The session records the failure.
  }
  await ended;
}

async function waitForDrain(stdout: TerminalOutput): Promise<void> {
  await new Promise<void>((resolve) => stdout.once('drain', () => resolve()));
}

interface DrawOptions {
  readonly url: string;
  readonly stdin: TerminalInput;
  readonly stdout: TerminalOutput;
  readonly serverTypes: readonly McpServerType[] | null;
  readonly hasColors: boolean;
}

async function drawTable(
  session: WatchSession,
  { url, stdin, stdout, serverTypes, hasColors }: DrawOptions,
): Promise<void> {
  using _session = session;
  const [{ WatchController }, { openInkScreen }] = await Promise.all([
    import('../watch/watch-controller.js'),
    import('../watch/ink-screen.js'),
  ]);
  using health = session.client.health();
  const clock = systemClock;
  const read = (): WatchData => {
    const { agents, cursor, rate } = session.agents.getSnapshot();
    const servers = health.getSnapshot().health?.servers ?? null;
    return {
      url,
      connection: session.client.connection.getSnapshot(),
      agents: cursor === null ? null : agents,
      servers: servers?.filter(({ type }) => serverTypes?.includes(type) ?? true) ?? null,
      serversError: formatServersError(health),
      effectiveHz: rate?.effectiveHz ?? null,
    };
  };
  using controller = new WatchController({ read, clock, onQuit: () => session.end() });
  using screen = await openInkScreen({
    stdin,
    stdout,
    hasColors,
    clock,
    onKey: (key) => controller.pressKey(key),
    onRedraw: () => controller.draw(),
  });
  const update = (): void => controller.update();
  const unsubscribes = [session.agents, health, session.client.connection].map(({ subscribe }) => subscribe(update));
  controller.attach(screen);
  await session.ended;
  for (const unsubscribe of unsubscribes) unsubscribe();
}

function formatServersError(health: HealthStream): string | null {
  const { error } = health.getSnapshot();
  return error === null ? null : `Servers are not shown: ${error.message}`;
}

/** Explains a failure and what to do about it. */
function explainFailure(failure: WatchFailure, url: string, hasToken: boolean): string {
  if ('rejection' in failure) return `${url}: ${failure.rejection.message}`;
  const { error, reason } = failure.connection;
  if (error?.code === 'ACCESS_DENIED') {
    const problem = hasToken ? `the token was rejected: ${error.message}` : 'a token is required';
    return `${url}: ${problem}\nCreate one with \`swarmlens token create --scopes agents:read,health:read\` where swarmlens runs, and set SWARMLENS_TOKEN to it.`;
  }
  const cause = error?.message ?? reason ?? 'no response';
  return `${url} cannot be reached: ${cause}\nStart it with \`swarmlens serve\`, or choose another server with --url.`;
}

function parseMode(text = 'normal'): PerformanceMode {
  const mode = Object.hasOwn(MODES, text) ? MODES[text] : undefined;
  if (mode !== undefined) return mode;
  const names = Object.keys(MODES);
  throw new UsageError(`swarmlens watch: --mode is "${text}"${didYouMean(text, names)}, expected ${names.join(', ')}`);
}
