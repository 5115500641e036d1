import type { Agent, ConnectionSnapshot, McpServerFragment } from '@swarmlens/client';
import type { TerminalSize } from '../terminal/screen.js';
import { alignColumns } from '../terminal/table.js';

/** Data that one frame shows. */
export interface WatchFrameInput {
  readonly url: string;
  readonly connection: ConnectionSnapshot;
  /** Agents by id. Null before the first update. */
  readonly agents: ReadonlyMap<string, Agent> | null;
  /** Servers. Null if unknown. */
  readonly servers: readonly McpServerFragment[] | null;
  /** Reason why the servers are unknown. Null if there is none. */
  readonly serversError: string | null;
  readonly effectiveHz: number | null;
  readonly hasColors: boolean;
}

type Color = 'green' | 'yellow' | 'red' | 'dim' | 'bold';
const SGR: Readonly<Record<Color, number>> = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 };
const RESET = '\u001b[0m';

const SERVER_COLOR: Readonly<Record<McpServerFragment['status'], Color>> = {
  ONLINE: 'green',
  DEGRADED: 'yellow',
  CONNECTING: 'yellow',
  OFFLINE: 'red',
};

/** Share of the window that servers may use. */
const SERVER_SHARE = 0.4;
/** Lines that servers may always use. */
const MIN_SERVER_LINES = 3;

/** Renders one frame, never larger than the terminal. Removes control characters from text of servers. */
export function renderWatchFrame(input: WatchFrameInput, { columns: width, rows }: TerminalSize): string[] {
  const paint = (line: string, color: Color | null): string => {
    const text = truncate(line, width);
    return color === null || !input.hasColors ? text : `\u001b[${SGR[color]}m${text}${RESET}`;
  };
  const head = [paint(header(input), 'bold'), ''];
  const foot = ['', paint('Press Ctrl-C to exit', 'dim')];
  const bodyLines = Math.max(0, rows - head.length - foot.length);
  const servers = serverTable(input, Math.max(MIN_SERVER_LINES, Math.floor(bodyLines * SERVER_SHARE)), paint);
  const agents = agentTable(input, bodyLines - servers.length - 1, paint);
  return [...head, ...servers, '', ...agents, ...foot].slice(0, rows);
}

function header({ url, connection, agents, effectiveHz }: WatchFrameInput): string {
  const { status, latencyMs, reason, retryAt } = connection;
  const state = {
    IDLE: 'connecting',
    CONNECTING: 'connecting',
    OPEN: 'live',
    RECONNECTING: `connection lost${reason === null ? '' : ` (${reason})`}, reconnecting${retryAt === null ? '' : ` at ${retryAt.slice(11, 19)} UTC`}; showing last known values`,
    CLOSED: 'closed',
  }[status];
  const parts = [
    `swarmlens ${url}`,
    state,
    ...(agents === null ? [] : [pluralize(agents.size, 'agent')]),
    ...(effectiveHz === null ? [] : [`${effectiveHz} Hz`]),
    ...(latencyMs === null ? [] : [`${Math.round(latencyMs)} ms`]),
  ];
  return toPlainText(parts.join('  ·  '));
}

type Paint = (line: string, color: Color | null) => string;

const SERVER_HEAD = ['SERVER', 'STATUS', 'TYPE', 'VIA', 'AGENTS', 'BREAKER', 'P95', 'ERROR'];

function serverTable({ servers, serversError }: WatchFrameInput, max: number, paint: Paint): string[] {
  if (servers === null) return [paint(serversError ?? 'Servers: waiting for data', 'dim')];
  if (servers.length === 0) return [paint('No servers.', 'dim')];
  const shown = servers.slice(0, servers.length + 1 > max ? Math.max(1, max - 2) : servers.length);
  const [head = '', ...rows] = alignColumns([
    SERVER_HEAD,
    ...shown.map((server) => [
      server.id,
      server.status,
      server.type + (server.simulated ? ' (simulated)' : ''),
      server.transport,
      `${server.agentCount}${server.stale ? ' stale' : ''}`,
      server.circuitBreaker.state,
      server.latency.p95Ms === null ? '–' : `${server.latency.p95Ms.toFixed(1)} ms`,
      server.lastError ?? '–',
    ]),
  ]);
  const lines = rows.map((row, index) => {
    const server = shown[index];
    return paint(row, server === undefined ? null : SERVER_COLOR[server.status]);
  });
  const hidden = servers.length - shown.length;
  return [paint(head, 'dim'), ...lines, ...(hidden === 0 ? [] : [paint(`… ${hidden} more servers`, 'dim')])];
}

const AGENT_HEAD = ['AGENT', 'TYPE', 'STATUS', 'SERVER', 'SWARM', 'TASKS', 'SEEN'];

function agentTable({ agents }: WatchFrameInput, max: number, paint: Paint): string[] {
  if (max < 2) return [];
  if (agents === null) return [paint('Agents: waiting for data', 'dim')];
  if (agents.size === 0) return [paint('No agents match.', 'dim')];
  const sorted = [...agents.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const shown = sorted.slice(0, sorted.length + 1 > max ? Math.max(0, max - 2) : sorted.length);
  const [head = '', ...rows] = alignColumns([
    AGENT_HEAD,
    ...shown.map((agent) => [
      agent.name,
      agent.type,
      agent.status + (agent.stale ? ' (stale)' : ''),
      agent.serverId,
      agent.swarmId === null ? '–' : agent.swarmId.slice(agent.serverId.length + 1),
      `${agent.performance?.tasksActive ?? '–'}`,
      agent.lastSeenAt.slice(11, 19),
    ]),
  ]);
  const lines = rows.map((row, index) => paint(row, agentColor(shown[index])));
  const hidden = sorted.length - shown.length;
  const more = `… ${hidden} more: enlarge the window, or filter with --server-type, --type or --swarm`;
  return [paint(head, 'dim'), ...lines, ...(hidden === 0 ? [] : [paint(more, 'dim')])];
}

function agentColor(agent: Agent | undefined): Color | null {
  if (agent === undefined) return null;
  if (agent.stale) return 'dim';
  if (agent.status === 'ERROR') return 'red';
  if (agent.status === 'WAITING') return 'yellow';
  return agent.status === 'BUSY' || agent.status === 'ACTIVE' ? 'green' : null;
}

function pluralize(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Replaces characters that control a terminal or the text direction. */
function toPlainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}

function truncate(line: string, width: number): string {
  const characters = Array.from(line);
  return characters.length <= width ? line : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}
