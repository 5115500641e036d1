import {
  type Agent,
  agentStateOf,
  type AgentState,
  type ConnectionSnapshot,
  contextRatioOf,
  type McpServerFragment,
} from '@swarmlens/client';
import type { TerminalSize } from '../terminal/screen.js';
import type { AgentRow, SortColumn } from './agent-rows.js';
import type { AgentSummary } from './agent-summary.js';
import {
  describeAgent,
  formatActivity,
  formatContext,
  formatCost,
  formatSince,
  formatTokens,
  formatTotalCost,
  UNKNOWN,
} from './format.js';
import { padTo, toTerminalText, truncateEnd, truncateMiddle, widthOf, wrapText } from './terminal-text.js';
import type { WatchView } from './view-state.js';

/** Data that one frame shows. */
export interface WatchFrameInput {
  readonly url: string;
  readonly connection: ConnectionSnapshot;
  /** Agents by id. Null before the first update. */
  readonly agents: ReadonlyMap<string, Agent> | null;
  readonly summary: AgentSummary;
  /** Servers. Null if unknown. */
  readonly servers: readonly McpServerFragment[] | null;
  /** Reason why the servers are unknown. Null if there is none. */
  readonly serversError: string | null;
  readonly effectiveHz: number | null;
  readonly view: WatchView;
  /** Rows of the table, of which a frame formats the visible ones. */
  readonly rows: readonly AgentRow[];
  readonly nowMs: number;
  /** Whether keys can be read. */
  readonly hasKeys: boolean;
}

export type LineStyle = 'bold' | 'dim' | 'good' | 'warning' | 'bad' | 'selected' | 'plain';

/** Part of a line, of one style. */
export interface Segment {
  readonly text: string;
  readonly style: LineStyle;
}

export type StyledLine = readonly Segment[];

export interface WatchFrame {
  readonly lines: readonly StyledLine[];
  /** Number of rows that fit the table or page. */
  readonly pageRows: number;
  /** Number of lines of a page other than the table of agents. */
  readonly lineCount: number;
}

/** Parts of a frame around its table or page. */
interface HeadAndFoot {
  readonly head: readonly StyledLine[];
  readonly foot: readonly StyledLine[];
}

/** Share of the window that lines about failing servers may use. */
const SERVER_SHARE = 0.25;
/** Number of rows from which a line with the position is always shown. */
const TALL = 16;

/** Renders one frame, never larger than the terminal. Formats only visible rows, and sanitizes text of servers. */
export function renderWatchFrame(input: WatchFrameInput, size: TerminalSize): WatchFrame {
  const { columns: width } = size;
  const rows = Math.max(0, size.rows);
  const { head, foot } = renderHeadAndFoot(input, { columns: width, rows });
  const bodyRows = Math.max(0, rows - head.length - foot.length);
  const { view } = input;
  if (view.page === 'agents') {
    const pageRows = Math.max(1, bodyRows - 1);
    const body = renderAgentTable(input, width, pageRows);
    return { lines: fill(head, body, foot, rows), pageRows, lineCount: 0 };
  }
  const lines = renderPage(input, width);
  const visible = lines.slice(view.scroll, view.scroll + bodyRows);
  return { lines: fill(head, visible, foot, rows), pageRows: bodyRows, lineCount: lines.length };
}

/** Joins the parts of a frame, with the last lines at the bottom. */
function fill(
  head: readonly StyledLine[],
  body: readonly StyledLine[],
  foot: readonly StyledLine[],
  rows: number,
): StyledLine[] {
  const space = Math.max(0, rows - head.length - body.length - foot.length);
  return [...head, ...body, ...Array.from({ length: space }, () => []), ...foot].slice(0, rows);
}

function renderHeadAndFoot(input: WatchFrameInput, { columns: width, rows }: TerminalSize): HeadAndFoot {
  const { view } = input;
  const maxServerLines = Math.max(1, Math.floor(rows * SERVER_SHARE));
  const head = [renderHeader(input, width), ...renderServerLines(input, width, maxServerLines)];
  const isFiltered = view.filter !== '' || view.state !== null || view.isEditingFilter;
  const showsPosition = isFiltered || rows >= TALL;
  const foot = [...(showsPosition ? [renderPosition(input, width)] : []), renderHelpLine(input, width)];
  return { head, foot };
}

function renderHeader({ url, connection, agents, summary, effectiveHz }: WatchFrameInput, width: number): StyledLine {
  const { status, latencyMs, reason, retryAt } = connection;
  const isLost = status === 'RECONNECTING' || status === 'CLOSED';
  const state = {
    IDLE: 'connecting',
    CONNECTING: 'connecting',
    OPEN: 'live',
    RECONNECTING: `connection lost, last known values${retryAt === null ? '' : `, retry at ${retryAt.slice(11, 19)} UTC`}${reason === null ? '' : ` (${reason})`}`,
    CLOSED: 'closed',
  }[status];
  const count = (of: AgentState): string[] => {
    const number = summary.counts.get(of) ?? 0;
    return number === 0 ? [] : [`${number} ${of}`];
  };
  const cost = formatTotalCost(summary);
  const parts = [
    ...(isLost ? [state] : []),
    ...(agents === null ? [] : [pluralize(agents.size, 'agent')]),
    ...count('waiting'),
    ...count('failed'),
    ...count('working'),
    ...count('stale'),
    ...(cost === null ? [] : [cost]),
    ...(isLost ? [] : [state]),
    toTerminalText(url),
    ...(effectiveHz === null ? [] : [`${effectiveHz} Hz`]),
    ...(latencyMs === null ? [] : [`${Math.round(latencyMs)} ms`]),
  ];
  return oneStyle(parts.join(' · '), isLost ? 'bad' : 'bold', width);
}

const SERVER_STYLE: Readonly<Record<McpServerFragment['status'], LineStyle>> = {
  ONLINE: 'good',
  DEGRADED: 'warning',
  CONNECTING: 'warning',
  OFFLINE: 'bad',
};

/** Statuses by urgency. */
const SERVER_STATUSES = ['OFFLINE', 'DEGRADED', 'CONNECTING', 'ONLINE'] as const;

/** Renders one line per failing server with its status first, which is visible at every width, and the numbers if they do not fit. */
function renderServerLines(input: WatchFrameInput, width: number, max: number): StyledLine[] {
  const { servers, serversError } = input;
  if (servers === null) return [oneStyle(serversError ?? 'Servers: waiting for data', 'dim', width)];
  if (servers.length === 0) return [oneStyle('No servers.', 'dim', width)];
  const failing = sortServers(servers).filter(({ status }) => status !== 'ONLINE');
  if (failing.length === 0) return [oneStyle(`Servers: ${servers.length} ONLINE`, 'dim', width)];
  const [first] = failing;
  const shown = failing.length <= max ? failing : failing.slice(0, max - 1);
  const lines = shown.map((server) => renderServerLine(server, width));
  if (first === undefined || shown.length === failing.length) return lines;
  const counts = SERVER_STATUSES.flatMap((status) => {
    const ids = failing.slice(shown.length).filter((server) => server.status === status);
    return ids.length === 0 ? [] : [`${ids.length} ${status}: ${ids.map(({ id }) => toTerminalText(id)).join(', ')}`];
  });
  return [...lines, oneStyle(counts.join(' · '), SERVER_STYLE[failing[shown.length]?.status ?? first.status], width)];
}

function renderServerLine({ id, status, lastError, stale }: McpServerFragment, width: number): StyledLine {
  const name = truncateMiddle(toTerminalText(id), Math.max(8, Math.floor(width / 3)));
  const reason = lastError === null ? (stale ? ': its agents are stale' : '') : `: ${toTerminalText(lastError)}`;
  return oneStyle(`${status} ${name}${reason}`, SERVER_STYLE[status], width);
}

function sortServers(servers: readonly McpServerFragment[]): McpServerFragment[] {
  return [...servers].sort(
    (a, b) =>
      SERVER_STATUSES.indexOf(a.status) - SERVER_STATUSES.indexOf(b.status) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
}

/** Column of the table of agents. */
interface Column {
  readonly head: string;
  readonly sort: SortColumn | null;
  readonly minWidth: number;
  /** Share of the remaining width. */
  readonly share: number;
  readonly maxWidth: number;
  readonly align: 'left' | 'right';
  readonly truncate: (text: string, width: number) => string;
}

const fixed = (head: string, sort: SortColumn, width: number): Column => ({
  head,
  sort,
  minWidth: width,
  maxWidth: width,
  share: 0,
  align: 'right',
  truncate: truncateEnd,
});

const flexible = (head: string, sort: SortColumn, minWidth: number, maxWidth: number, share: number): Column => ({
  head,
  sort,
  minWidth,
  maxWidth,
  share,
  align: 'left',
  truncate: head === 'NOW' ? truncateEnd : truncateMiddle,
});

const AGENT = flexible('AGENT', 'agent', 11, 48, 0.3);
const NOW = flexible('NOW', 'status', 12, 64, 0.5);
const SINCE = fixed('SINCE', 'since', 6);
const TOKENS = fixed('TOKENS', 'tokens', 7);
const COST = fixed('COST', 'cost', 9);
const CONTEXT = fixed('CTX', 'context', 5);
const SERVER = flexible('SERVER', 'server', 11, 24, 0.2);

/** Columns from left to right. */
const COLUMNS = [AGENT, NOW, SINCE, TOKENS, COST, CONTEXT, SERVER];
/** Columns in the order in which they are added while the window has room. */
const PRIORITY = [AGENT, NOW, SINCE, CONTEXT, TOKENS, COST, SERVER];
/** Marks of the selection and of the state, before the first column. */
const GUTTER = 3;

function layoutColumns(width: number): { readonly column: Column; readonly width: number }[] {
  let free = width - GUTTER + 1;
  const chosen = new Set<Column>();
  for (const column of PRIORITY) {
    if (free < column.minWidth + 1) break;
    free -= column.minWidth + 1;
    chosen.add(column);
  }
  const spare = free;
  const widths = COLUMNS.filter((column) => chosen.has(column)).map((column) => ({
    column,
    width: Math.min(column.maxWidth, column.minWidth + Math.floor(spare * column.share)),
  }));
  // A window that is narrower than the first column.
  return widths.length > 0 ? widths : [{ column: AGENT, width: Math.max(0, width - GUTTER) }];
}

const STATE_MARKS: Readonly<Record<AgentState, string>> = {
  waiting: '!',
  failed: 'x',
  working: '*',
  idle: ' ',
  unknown: ' ',
  ended: '-',
  stale: '?',
};

const STATE_STYLES: Readonly<Record<AgentState, LineStyle>> = {
  waiting: 'warning',
  failed: 'bad',
  working: 'good',
  idle: 'plain',
  unknown: 'plain',
  ended: 'dim',
  stale: 'dim',
};

const NEARLY_FULL = 0.8;
const FULL = 0.95;

function renderAgentTable(input: WatchFrameInput, width: number, pageRows: number): StyledLine[] {
  const { agents, rows, view } = input;
  if (agents === null) return [oneStyle('Agents: waiting for data', 'dim', width)];
  const columns = layoutColumns(width);
  const head = columns.map(({ column, width: cellWidth }) => {
    const mark = column.sort === view.sort ? (view.isReversed ? '▴' : '▾') : '';
    const text = truncateEnd(`${column.head}${mark}`, cellWidth);
    return padTo(text, cellWidth, column.align);
  });
  const lines: StyledLine[] = [oneStyle(`${' '.repeat(GUTTER)}${head.join(' ')}`.trimEnd(), 'dim', width)];
  if (rows.length === 0) {
    const text = agents.size === 0 ? 'No agents match.' : 'No agents match the filter. Press Esc to remove it.';
    return [...lines, oneStyle(text, 'dim', width)];
  }
  for (const [offset, row] of rows.slice(view.top, view.top + pageRows).entries()) {
    lines.push(renderAgentRow(row, view.top + offset === view.selectedIndex, columns, input, width));
  }
  return lines;
}

/** Depth to which the tree is indented. Deeper agents show their depth as a number. */
const MAX_INDENT = 6;

function renderAgentRow(
  { agent, depth, matches }: AgentRow,
  isSelected: boolean,
  columns: ReturnType<typeof layoutColumns>,
  { nowMs }: WatchFrameInput,
  width: number,
): StyledLine {
  const state = agentStateOf(agent);
  const rowStyle = isSelected ? 'selected' : state === 'stale' || !matches ? 'dim' : null;
  const segments: Segment[] = [
    { text: isSelected ? '>' : ' ', style: rowStyle ?? 'plain' },
    { text: STATE_MARKS[state], style: rowStyle ?? STATE_STYLES[state] },
  ];
  for (const [index, { column, width: cellWidth }] of columns.entries()) {
    const { text, style } = renderCell(column, agent, depth, cellWidth, nowMs);
    const isLast = index === columns.length - 1;
    const cell = isLast && column.align === 'left' && !isSelected ? text : padTo(text, cellWidth, column.align);
    segments.push({ text: ` ${cell}`, style: rowStyle ?? style });
  }
  return fitLine(segments, width);
}

function renderCell(column: Column, agent: Agent, depth: number, width: number, nowMs: number): Segment {
  const state = agentStateOf(agent);
  switch (column) {
    case AGENT: {
      const indent = indentOf(depth, width);
      return { text: indent + truncateMiddle(toTerminalText(agent.name), width - widthOf(indent)), style: 'plain' };
    }
    case NOW:
      return { text: truncateEnd(toTerminalText(formatActivity(agent)), width), style: STATE_STYLES[state] };
    case SINCE:
      return { text: truncateEnd(formatSince(agent, nowMs), width), style: 'plain' };
    case TOKENS:
      return { text: truncateEnd(formatTokens(agent), width), style: 'plain' };
    case COST:
      return { text: truncateEnd(formatCost(agent), width), style: 'plain' };
    case CONTEXT: {
      const ratio = contextRatioOf(agent) ?? 0;
      const style = ratio >= FULL ? 'bad' : ratio >= NEARLY_FULL ? 'warning' : 'plain';
      return { text: truncateEnd(formatContext(agent), width), style };
    }
    default:
      return { text: truncateMiddle(toTerminalText(agent.serverId), width), style: 'plain' };
  }
}

function indentOf(depth: number, width: number): string {
  if (depth === 0) return '';
  const text = depth > MAX_INDENT ? `${' '.repeat(MAX_INDENT)}${depth}└ ` : `${'  '.repeat(depth - 1)}└ `;
  return widthOf(text) > width / 2 ? '└ '.slice(0, Math.max(0, width - 1)) : text;
}

function renderPosition({ view, rows, agents }: WatchFrameInput, width: number): StyledLine {
  if (view.isEditingFilter) {
    const prompt = `Filter: ${view.filter}_`;
    return oneStyle(prompt.length <= width ? prompt : truncateMiddle(prompt, width), 'bold', width);
  }
  const shown = rows.reduce((count, { matches }) => (matches ? count + 1 : count), 0);
  const total = agents?.size ?? 0;
  const parts = [
    ...(view.filter === '' ? [] : [`filter "${view.filter}"`]),
    ...(view.state === null ? [] : [`only ${view.state}`]),
    shown === total ? pluralize(total, 'agent') : `${shown} of ${pluralize(total, 'agent')}`,
    ...(rows.length === 0 ? [] : [`row ${view.selectedIndex + 1}`]),
    `sorted by ${view.sort}${view.isReversed ? ', reversed' : ''}`,
    ...(view.isTree ? ['tree'] : []),
  ];
  return oneStyle(parts.join(' · '), view.filter === '' && view.state === null ? 'dim' : 'bold', width);
}

const HELP_LINES: Readonly<Record<WatchView['page'], readonly string[]>> = {
  agents: ['q quit', '? help', '/ filter', 'Enter details', 'f status', 's sort', 't tree', 'v servers', 'r reverse'],
  details: ['q back', 'j/k scroll', '? help', 'Ctrl-C quit'],
  servers: ['q back', 'j/k scroll', '? help', 'Ctrl-C quit'],
  help: ['q back', 'j/k scroll', 'Ctrl-C quit'],
};

/** Renders as many entries of the help line as fit completely. */
function renderHelpLine({ view, hasKeys }: WatchFrameInput, width: number): StyledLine {
  const entries = view.isEditingFilter ? ['Enter apply', 'Esc remove', 'Ctrl-U clear'] : HELP_LINES[view.page];
  let text = '';
  for (const entry of hasKeys ? entries : ['Ctrl-C quit']) {
    const next = text === '' ? entry : `${text}  ${entry}`;
    if (widthOf(next) > width) break;
    text = next;
  }
  return oneStyle(text, 'dim', width);
}

function renderPage(input: WatchFrameInput, width: number): StyledLine[] {
  const { view } = input;
  if (view.page === 'servers') return renderServersPage(input, width);
  if (view.page === 'help') return HELP_PAGE.flatMap((line) => renderEntry(line, HELP_NAME_WIDTH, width));
  const agent = view.selectedId === null ? undefined : input.agents?.get(view.selectedId);
  if (agent === undefined) return [oneStyle('This agent has ended.', 'dim', width)];
  const entries = describeAgent(agent, input.nowMs, input.agents ?? new Map());
  return entries.flatMap((entry) => renderEntry(entry, DETAIL_NAME_WIDTH, width));
}

const DETAIL_NAME_WIDTH = 14;
const HELP_NAME_WIDTH = 15;

/** Renders a name and a value, which continues in further lines if it is long. */
function renderEntry([name, value]: readonly [string, string], nameWidth: number, width: number): StyledLine[] {
  const indent = Math.min(nameWidth, Math.floor(width / 2));
  const lines = wrapText(toTerminalText(value), Math.max(1, width - indent));
  return lines.map((text, index) =>
    fitLine(
      [
        { text: padTo(index === 0 ? truncateEnd(name, Math.max(0, indent - 1)) : '', indent), style: 'dim' },
        { text, style: 'plain' },
      ],
      width,
    ),
  );
}

const HELP_PAGE: readonly (readonly [string, string])[] = [
  ['Up, Down, j, k', 'Move by one row'],
  ['PgUp, PgDn', 'Move by one page'],
  ['Home, End, g, G', 'Move to the first or last row'],
  ['Enter', 'Show all details of the selected agent'],
  ['/', 'Filter by text in name, id, type, title, workspace, model, swarm and activity'],
  ['f, F', 'Show only agents of the next or previous status'],
  ['s, S', 'Sort by the next or previous column'],
  ['r', 'Reverse the order'],
  ['t', 'Show agents below their parents'],
  ['v', 'Show all servers'],
  ['Esc', 'Go back, or remove the filters'],
  ['q', 'Go back, or quit'],
  ['Ctrl-Z', 'Suspend; "fg" continues'],
  ['Ctrl-C', 'Quit'],
  ['', ''],
  ['!', 'Waits for a person'],
  ['x', 'Failed'],
  ['*', 'Works'],
  ['-', 'Ended or unreachable'],
  ['?', 'Stale: last known values'],
  ['~', 'Before a cost: estimated. Before an activity: inferred'],
  ['+', 'After a number: lower limit'],
  [UNKNOWN, 'Unknown'],
];

const SERVER_HEAD = ['STATUS', 'SERVER', 'TYPE', 'VIA', 'AGENTS', 'BREAKER', 'P95', 'ERROR'];
/** Maximum width of a column of the page of servers, apart from the last one. */
const SERVER_CELL_WIDTH = 28;

function renderServersPage({ servers, serversError }: WatchFrameInput, width: number): StyledLine[] {
  if (servers === null) return [oneStyle(serversError ?? 'Servers: waiting for data', 'dim', width)];
  const sorted = sortServers(servers);
  const cells = sorted.map((server) =>
    [
      server.status,
      server.id,
      server.type + (server.simulated ? ' (simulated)' : ''),
      server.transport,
      `${server.agentCount}${server.stale ? ' stale' : ''}`,
      server.circuitBreaker.state,
      server.latency.p95Ms === null ? UNKNOWN : `${server.latency.p95Ms.toFixed(1)} ms`,
      server.lastError ?? UNKNOWN,
    ].map((cell, index) =>
      index === SERVER_HEAD.length - 1 ? toTerminalText(cell) : truncateMiddle(toTerminalText(cell), SERVER_CELL_WIDTH),
    ),
  );
  const widths = SERVER_HEAD.map((head, index) =>
    cells.reduce((max, row) => Math.max(max, widthOf(row[index] ?? '')), widthOf(head)),
  );
  const format = (row: readonly string[]): string =>
    row.map((cell, index) => (index === row.length - 1 ? cell : padTo(cell, widths[index] ?? 0))).join('  ');
  return [
    oneStyle(format(SERVER_HEAD), 'dim', width),
    ...sorted.map((server, index) => oneStyle(format(cells[index] ?? []), SERVER_STYLE[server.status], width)),
  ];
}

function oneStyle(text: string, style: LineStyle, width: number): StyledLine {
  return fitLine([{ text: toTerminalText(text), style }], width);
}

/** Truncates a line to the width of the terminal. */
function fitLine(segments: readonly Segment[], width: number): StyledLine {
  const line: Segment[] = [];
  let free = width;
  for (const { text, style } of segments) {
    const fitted = truncateEnd(text, free);
    free -= widthOf(fitted);
    if (fitted !== '') line.push({ text: fitted, style });
    if (fitted !== text) break;
  }
  return line;
}

function pluralize(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
