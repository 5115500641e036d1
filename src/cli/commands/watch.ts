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
import { MCP_SERVER_TYPES, type McpServerType } from '../../model/index.js';
import { didYouMean, type Clock, systemClock } from '../../shared/index.js';
import { parseFlags } from '../arguments.js';
import { Screen, type TerminalOutput } from '../terminal/screen.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';
import { renderWatchFrame } from '../watch/frame.js';
import { WatchLineFormatter } from '../watch/line-output.js';

const DEFAULT_URL = 'http://127.0.0.1:4000';
/** Between two drawings, however fast updates come: nobody reads faster. */
const DRAW_MS = 100;
const MODES: Readonly<Record<string, PerformanceMode>> = {
  high: 'HIGH_FREQUENCY',
  normal: 'NORMAL',
  low: 'LOW_FREQUENCY',
  'on-demand': 'ON_DEMAND',
};

/** Shows agents and servers of a running swarmlens as they change, until it is told to stop. */
export async function watch(
  args: readonly string[],
  { env, stdout, stderr, stopped }: CommandContext,
): Promise<number> {
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
    agentTypes: listOf('type', flags.type)?.map((type) => type.toLowerCase()) ?? null,
    serverTypes: serverTypesOf(flags['server-type']),
    swarmIds: listOf('swarm', flags.swarm),
  };
  const mode = modeOf(flags.mode);
  await using client = open(url, token);
  using agents = client.agents(filters, mode);
  const task = new WatchSession(client, agents, stopped, stdout);
  if (flags.json === true || stdout.isTTY !== true) await printed(task, stdout, flags.json === true);
  else await drawn(task, { url, stdout, serverTypes: filters.serverTypes, hasColours: env['NO_COLOR'] === undefined });
  if (task.trouble === null) return 0;
  stderr.write(`${adviceOn(task.trouble, url, token !== undefined)}\n`);
  return 1;
}

function open(url: string, token: string | undefined): SwarmClient {
  try {
    return createSwarmClient({ url, webSocketImpl: WebSocket, ...(token !== undefined && { token }) });
  } catch (error) {
    if (error instanceof TypeError)
      throw new UsageError(`swarmlens watch: --url: ${error.message.replaceAll('`', '')}`);
    throw error;
  }
}

/** Why there is no going on. */
type WatchFailure = { readonly connection: ConnectionSnapshot } | { readonly refusal: Error };

/** Goes on until it is asked to stop, nobody reads it any more, or there is no hope. */
class WatchSession implements Disposable {
  readonly client: SwarmClient;
  readonly agents: AgentStream;
  readonly ended: Promise<void>;
  trouble: WatchFailure | null = null;
  readonly #detach: (() => void)[] = [];
  #hasBeenOpen = false;

  constructor(client: SwarmClient, agents: AgentStream, stopped: Promise<void>, stdout: TerminalOutput) {
    this.client = client;
    this.agents = agents;
    this.ended = new Promise((resolve) => {
      const end = (trouble: WatchFailure | null): void => {
        this.trouble ??= trouble;
        resolve();
      };
      stopped.then(
        () => end(null),
        () => end(null),
      );
      // Whoever read it, `head` for one, has enough.
      stdout.on('error', () => end(null));
      const look = (): void => {
        const connection = client.connection.getSnapshot();
        const { status, error } = agents.getSnapshot();
        this.#hasBeenOpen ||= connection.status === 'OPEN';
        if (status === 'ENDED' && error instanceof OperationError) end({ refusal: error });
        else if (connection.status === 'CLOSED') end({ connection });
        // What cannot be reached at all is told at once; what was there is waited for.
        else if (connection.status === 'RECONNECTING' && !this.#hasBeenOpen) end({ connection });
      };
      this.#detach.push(client.connection.subscribe(look), agents.subscribe(look));
      look();
    });
  }

  [Symbol.dispose](): void {
    for (const leave of this.#detach.splice(0)) leave();
  }
}

async function printed(task: WatchSession, stdout: TerminalOutput, isJson: boolean): Promise<void> {
  using _task = task;
  const lines = new WatchLineFormatter();
  const over = task.ended.then(() => task.agents.dispose());
  try {
    for await (const update of task.agents) {
      const text = isJson ? lines.json(update) : lines.text(update);
      // What comes meanwhile is told as one: nobody is buried who reads slowly.
      if (!stdout.write(text)) await Promise.race([drained(stdout), task.ended]);
    }
  } catch {
    // `ended` tells it.
  }
  await over;
}

async function drained(stdout: TerminalOutput): Promise<void> {
  await new Promise<void>((resolve) => stdout.once('drain', () => resolve()));
}

interface DrawOptions {
  readonly url: string;
  readonly stdout: TerminalOutput;
  readonly serverTypes: readonly McpServerType[] | null;
  readonly hasColours: boolean;
  readonly clock?: Clock;
}

async function drawn(
  task: WatchSession,
  { url, stdout, serverTypes, hasColours, clock = systemClock }: DrawOptions,
): Promise<void> {
  using _task = task;
  using health = task.client.health();
  let next: Disposable | null = null;
  const soon = (): void => {
    next ??= clock.schedule(DRAW_MS, () => {
      next = null;
      draw();
    });
  };
  const draw = (): void => {
    const { agents, cursor, rate } = task.agents.getSnapshot();
    const servers = health.getSnapshot().health?.servers ?? null;
    const view = {
      url,
      connection: task.client.connection.getSnapshot(),
      agents: cursor === null ? null : agents,
      servers: servers?.filter(({ type }) => serverTypes?.includes(type) ?? true) ?? null,
      serversError: troubleOf(health),
      effectiveHz: rate?.effectiveHz ?? null,
      hasColours,
    };
    screen.draw(renderWatchFrame(view, screen.size));
  };
  using screen = new Screen(stdout, draw);
  const leave = [task.agents, health, task.client.connection].map(({ subscribe }) => subscribe(soon));
  draw();
  await task.ended;
  for (const one of leave) one();
  (next as Disposable | null)?.[Symbol.dispose](); // assigned in a callback, which the compiler does not see
}

function troubleOf(health: HealthStream): string | null {
  const { error } = health.getSnapshot();
  return error === null ? null : `Servers are not shown: ${error.message}`;
}

/** What is wrong, and what to do about it. */
function adviceOn(trouble: WatchFailure, url: string, hasToken: boolean): string {
  if ('refusal' in trouble) return `${url}: ${trouble.refusal.message}`;
  const { error, reason: why } = trouble.connection;
  if (error?.code === 'ACCESS_DENIED') {
    const what = hasToken ? `the token was refused: ${error.message}` : 'a token is needed';
    return `${url}: ${what}\nMake one with \`swarmlens token create --scopes agents:read,health:read\` where swarmlens runs, and pass it in SWARMLENS_TOKEN.`;
  }
  const reason = error?.message ?? why ?? 'it does not answer';
  return `${url} cannot be reached: ${reason}\nIs swarmlens running there? Start it with \`swarmlens serve\`, or name another one with --url.`;
}

function listOf(flag: string, text: string | undefined): string[] | null {
  if (text === undefined) return null;
  const values = text.split(',').map((value) => value.trim());
  if (!values.includes('')) return values;
  throw new UsageError(`swarmlens watch: --${flag} has an empty entry – separate the entries by one comma`);
}

function serverTypesOf(text: string | undefined): McpServerType[] | null {
  const types = listOf('server-type', text)?.map((one) => {
    const found = MCP_SERVER_TYPES.find((type) => type === one.toUpperCase().replaceAll('-', '_'));
    if (found !== undefined) return found;
    throw new UsageError(`swarmlens watch: --server-type has "${one}" – expected ${MCP_SERVER_TYPES.join(', ')}`);
  });
  return types ?? null;
}

function modeOf(text = 'normal'): PerformanceMode {
  const mode = Object.hasOwn(MODES, text) ? MODES[text] : undefined;
  if (mode !== undefined) return mode;
  const names = Object.keys(MODES);
  throw new UsageError(`swarmlens watch: --mode is "${text}"${didYouMean(text, names)} – expected ${names.join(', ')}`);
}
