import type { Agent, ConnectionSnapshot, McpServerFragment } from '@swarmlens/client';
import type { TerminalSize } from '../terminal/screen.js';
import { alignColumns } from '../terminal/table.js';

/** All that is shown. */
export interface WatchFrameInput {
  readonly url: string;
  readonly connection: ConnectionSnapshot;
  /** `null`: nothing has come yet. */
  readonly agents: ReadonlyMap<string, Agent> | null;
  /** `null`: not known. */
  readonly servers: readonly McpServerFragment[] | null;
  /** Why servers are not known; `null`: they are, or nothing has come yet. */
  readonly serversError: string | null;
  readonly effectiveHz: number | null;
  readonly hasColours: boolean;
}

type Colour = 'green' | 'yellow' | 'red' | 'dim' | 'bold';
const SGR: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 };
const RESET = '\u001b[0m';

const SERVER_COLOUR: Readonly<Record<McpServerFragment['status'], Colour>> = {
  ONLINE: 'green',
  DEGRADED: 'yellow',
  CONNECTING: 'yellow',
  OFFLINE: 'red',
};

/** Lines that servers may take before agents have their turn: the share of the window, and the least. */
const SERVER_SHARE = 0.4;
const LEAST_SERVERS = 3;

/** The lines of a window: never more than it has, and none wider. What comes from servers cannot speak to the terminal. */
export function renderWatchFrame(view: WatchFrameInput, { columns: width, rows }: TerminalSize): string[] {
  const paint = (line: string, colour: Colour | null): string => {
    const cut = cutTo(line, width);
    return colour === null || !view.hasColours ? cut : `\u001b[${SGR[colour]}m${cut}${RESET}`;
  };
  const head = [paint(header(view), 'bold'), ''];
  const foot = ['', paint('Ctrl-C ends', 'dim')];
  const left = Math.max(0, rows - head.length - foot.length);
  const servers = serverTable(view, Math.max(LEAST_SERVERS, Math.floor(left * SERVER_SHARE)), paint);
  const agents = agentTable(view, left - servers.length - 1, paint);
  return [...head, ...servers, '', ...agents, ...foot].slice(0, rows);
}

function header({ url, connection, agents, effectiveHz }: WatchFrameInput): string {
  const { status, latencyMs, reason, retryAt } = connection;
  const state = {
    IDLE: 'connecting',
    CONNECTING: 'connecting',
    OPEN: 'live',
    RECONNECTING: `the connection is lost${reason === null ? '' : ` (${reason})`}, tried again${retryAt === null ? ' now' : ` at ${retryAt.slice(11, 19)} UTC`}; last known`,
    CLOSED: 'closed',
  }[status];
  const parts = [
    `swarmlens ${url}`,
    state,
    ...(agents === null ? [] : [counted(agents.size, 'agent')]),
    ...(effectiveHz === null ? [] : [`${effectiveHz} Hz`]),
    ...(latencyMs === null ? [] : [`${Math.round(latencyMs)} ms`]),
  ];
  return plain(parts.join('  ·  '));
}

type Paint = (line: string, colour: Colour | null) => string;

const SERVER_HEAD = ['SERVER', 'STATUS', 'TYPE', 'VIA', 'AGENTS', 'BREAKER', 'P95', 'ERROR'];

function serverTable({ servers, serversError }: WatchFrameInput, max: number, paint: Paint): string[] {
  if (servers === null) return [paint(serversError ?? 'Servers: not known yet', 'dim')];
  if (servers.length === 0) return [paint('No servers are watched.', 'dim')];
  const shown = servers.slice(0, servers.length + 1 > max ? Math.max(1, max - 2) : servers.length);
  const [head = '', ...rows] = alignColumns([
    SERVER_HEAD,
    ...shown.map((one) => [
      one.id,
      one.status,
      one.type + (one.simulated ? ' (simulated)' : ''),
      one.transport,
      `${one.agentCount}${one.stale ? ' stale' : ''}`,
      one.circuitBreaker.state,
      one.latency.p95Ms === null ? '–' : `${one.latency.p95Ms.toFixed(1)} ms`,
      one.lastError ?? '–',
    ]),
  ]);
  const lines = rows.map((row, index) => {
    const server = shown[index];
    return paint(row, server === undefined ? null : SERVER_COLOUR[server.status]);
  });
  const rest = servers.length - shown.length;
  return [paint(head, 'dim'), ...lines, ...(rest === 0 ? [] : [paint(`… ${rest} more servers`, 'dim')])];
}

const AGENT_HEAD = ['AGENT', 'TYPE', 'STATUS', 'SERVER', 'SWARM', 'TASKS', 'SEEN'];

function agentTable({ agents }: WatchFrameInput, max: number, paint: Paint): string[] {
  if (max < 2) return [];
  if (agents === null) return [paint('Agents: not known yet', 'dim')];
  if (agents.size === 0) return [paint('No agents match.', 'dim')];
  const sorted = [...agents.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const shown = sorted.slice(0, sorted.length + 1 > max ? Math.max(0, max - 2) : sorted.length);
  const [head = '', ...rows] = alignColumns([
    AGENT_HEAD,
    ...shown.map((one) => [
      one.name,
      one.type,
      one.status + (one.stale ? ' (stale)' : ''),
      one.serverId,
      one.swarmId === null ? '–' : one.swarmId.slice(one.serverId.length + 1),
      `${one.performance?.tasksActive ?? '–'}`,
      one.lastSeenAt.slice(11, 19),
    ]),
  ]);
  const lines = rows.map((row, index) => paint(row, colourOf(shown[index])));
  const rest = sorted.length - shown.length;
  const more = `… ${rest} more: make the window larger, or name fewer with --server-type, --type or --swarm`;
  return [paint(head, 'dim'), ...lines, ...(rest === 0 ? [] : [paint(more, 'dim')])];
}

function colourOf(agent: Agent | undefined): Colour | null {
  if (agent === undefined) return null;
  if (agent.stale) return 'dim';
  if (agent.status === 'ERROR') return 'red';
  return agent.status === 'BUSY' || agent.status === 'ACTIVE' ? 'green' : null;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Without what speaks to a terminal, or turns the direction. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}

function cutTo(line: string, width: number): string {
  const characters = Array.from(line);
  return characters.length <= width ? line : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}
