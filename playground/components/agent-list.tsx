import { useSignal } from '@preact/signals';
import { type Agent, agentStateOf, contextRatioOf } from '@swarmlens/client';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { fillColor } from '../graph/agent-style.js';
import type { TreeRow } from '../model/agent-tree.js';
import {
  costOf,
  explainCost,
  formatActivity,
  formatCompact,
  formatCost,
  formatPercent,
  formatStatus,
  formatTokens,
  toneOf,
  UNKNOWN_TEXT,
} from '../ui/format.js';
import { Age, AgentName, Badge, CutText, Dot, Meter } from './basics.js';
import type { PageState } from '../state/page-state.js';
import { usePage } from './page-context.js';

/** Height of a row in pixels. Equal to the height of `.row` in the styles. */
const ROW_HEIGHT = 70;
/** Number of rows that are created above and below the visible ones. */
const OVERSCAN = 6;
/** Indentation per level in pixels, and its maximum, so that names stay readable. */
const INDENT = 16;
const MAX_INDENT = 96;

/**
 * List of agents as a tree. Creates only the visible rows. The list has the focus, and names the selected row to screen
 * readers.
 */
export function AgentList(): JSX.Element {
  const page = usePage();
  const { rows } = page.tree.value;
  const selectedKey = page.view.agentId;
  const list = useRef<HTMLUListElement>(null);
  const scrollTop = useSignal(0);
  const height = useSignal(600);
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (element.clientHeight > 0) height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // Keys also reach group rows, which cannot be selected.
  const cursorKey = useSignal(selectedKey);
  const cursor = rows.findIndex(({ key }) => key === cursorKey.value);
  useEffect(() => {
    if (selectedKey !== null) cursorKey.value = selectedKey;
  }, [selectedKey]);
  const followed = useRef({ key: cursorKey.value, wasVisible: true });
  useEffect(() => {
    const element = list.current;
    if (element === null || cursor < 0) return;
    // A row that moves is followed unless the user has scrolled away from it.
    const { key, wasVisible } = followed.current;
    if (key !== cursorKey.value || wasVisible) scrollToRow(element, cursor);
    followed.current = { key: cursorKey.value, wasVisible: true };
  }, [cursorKey.value, cursor]);

  const first = Math.max(0, Math.floor(scrollTop.value / ROW_HEIGHT) - OVERSCAN);
  const last = Math.min(rows.length, Math.ceil((scrollTop.value + height.value) / ROW_HEIGHT) + OVERSCAN);
  const cursorRow = cursor >= first && cursor < last ? rows[cursor] : undefined;
  const moveTo = (row: TreeRow | undefined): void => {
    if (row === undefined) return;
    cursorKey.value = row.key;
    // Keys move through many agents, which Back should not visit one by one.
    if (row.kind === 'agent') page.select(row.key, selectedKey === null ? 'push' : 'replace');
  };
  return (
    <ul
      id="agents"
      ref={list}
      class="agents"
      role="tree"
      tabIndex={0}
      aria-label="Agents"
      aria-activedescendant={cursorRow === undefined ? undefined : rowId(cursorRow.key)}
      onScroll={({ currentTarget }) => {
        scrollTop.value = currentTarget.scrollTop;
        followed.current.wasVisible = cursor < 0 || isVisible(currentTarget, cursor);
      }}
      onKeyDown={(event) => handleKey(event, { page, rows, cursor, moveTo })}
    >
      <li class="spacer" role="presentation" style={{ height: `${rows.length * ROW_HEIGHT}px` }} />
      {rows.slice(first, last).map((row, offset) => (
        <Row key={row.key} row={row} index={first + offset} isCursor={row === cursorRow} />
      ))}
    </ul>
  );
}

interface KeyContext {
  readonly page: PageState;
  readonly rows: readonly TreeRow[];
  /** Index of the row that keys act on. -1 if there is none. */
  readonly cursor: number;
  readonly moveTo: (row: TreeRow | undefined) => void;
}

function handleKey(event: KeyboardEvent, { page, rows, cursor, moveTo }: KeyContext): void {
  const row = rows[cursor];
  const last = rows.length - 1;
  const target = {
    ArrowDown: Math.min(cursor + 1, last),
    ArrowUp: Math.max(cursor - 1, 0),
    PageDown: Math.min(cursor + 10, last),
    PageUp: Math.max(cursor - 10, 0),
    Home: 0,
    End: last,
  }[event.key];
  if (target !== undefined) {
    event.preventDefault();
    moveTo(rows[target]);
    return;
  }
  if (row === undefined) return;
  const { key, below, isExpanded, parentKey } = row;
  if (event.key === 'Enter' && row.kind === 'agent') page.graph.value?.lookAt(key);
  else if (event.key === 'ArrowLeft' && isExpanded && below > 0) page.toggleRow(key);
  else if (event.key === 'ArrowLeft') moveTo(rows.find((other) => other.key === parentKey));
  else if (event.key === 'ArrowRight' && !isExpanded) page.toggleRow(key);
  else return;
  event.preventDefault();
}

function scrollToRow(list: HTMLElement, index: number): void {
  const top = index * ROW_HEIGHT;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW_HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW_HEIGHT - list.clientHeight;
}

function isVisible(list: HTMLElement, index: number): boolean {
  const top = index * ROW_HEIGHT;
  return top + ROW_HEIGHT > list.scrollTop && top < list.scrollTop + list.clientHeight;
}

function rowId(key: string): string {
  return `row-${key.replaceAll(/\s/g, '-')}`;
}

interface RowProps {
  readonly row: TreeRow;
  readonly index: number;
  /** Whether keys act on the row. */
  readonly isCursor: boolean;
}

function Row({ row, index, isCursor }: RowProps): JSX.Element {
  const page = usePage();
  const { key, depth, below, isExpanded } = row;
  const isSelected = page.view.agentId === key;
  const isStale = row.kind === 'agent' && row.agent.stale;
  const isContext = row.kind === 'agent' && !row.isMatch;
  return (
    <li
      id={rowId(key)}
      class={['row', row.kind, isStale && 'stale', isContext && 'context', isCursor && 'cursor']
        .filter(Boolean)
        .join(' ')}
      role="treeitem"
      aria-label={describeRow(row, page)}
      aria-level={depth + 1}
      aria-selected={isSelected}
      aria-expanded={below > 0 || !isExpanded ? isExpanded : undefined}
      style={{ top: `${index * ROW_HEIGHT}px`, paddingLeft: `${Math.min(depth * INDENT, MAX_INDENT)}px` }}
      onClick={() => {
        if (row.kind === 'agent') page.select(key);
        else page.toggleRow(key);
      }}
    >
      <span
        class={below > 0 || !isExpanded ? 'twist' : 'twist none'}
        aria-hidden="true"
        title={isExpanded ? 'Collapse' : 'Expand'}
        onClick={(event) => {
          event.stopPropagation();
          page.toggleRow(key);
        }}
      >
        {isExpanded ? '▾' : '▸'}
      </span>
      {row.kind === 'agent' ? (
        <AgentCard agent={row.agent} hidden={isExpanded ? 0 : below} />
      ) : (
        <GroupCard groupId={row.groupId} below={below} />
      )}
    </li>
  );
}

/** Returns the text of a row for screen readers, which would read the parts of a name as words. */
function describeRow(row: TreeRow, page: PageState): string {
  if (row.kind === 'group') return `${page.labelOfGroup(row.groupId)}, ${row.below} agents`;
  const { agent } = row;
  const activity = agent.activity === null ? [] : [formatActivity(agent)];
  return [page.fullNameOf(agent.id), formatStatus(agent), ...activity].join(', ');
}

interface GroupCardProps {
  readonly groupId: string;
  readonly below: number;
}

function GroupCard({ groupId, below }: GroupCardProps): JSX.Element {
  const page = usePage();
  return (
    <span class="words">
      <strong class="group-name" title={groupId}>
        {page.labelOfGroup(groupId)}
      </strong>
      <span class="hint">{below === 1 ? '1 agent' : `${below} agents`}</span>
    </span>
  );
}

interface AgentCardProps {
  readonly agent: Agent;
  /** Number of agents in the collapsed rows below. */
  readonly hidden: number;
}

/** Work of an agent, its start, and the tokens that it has used. */
function AgentCard({ agent, hidden }: AgentCardProps): JSX.Element {
  const { theme } = usePage();
  const { activity, model } = agent;
  const ratio = contextRatioOf(agent);
  const cost = costOf(agent);
  const isLive = !agent.stale && agentStateOf(agent) !== 'ended';
  return (
    <span class="words">
      <span class="line">
        <Dot color={agent.stale ? null : fillColor(agent.type, theme.value)} />
        <AgentName agentId={agent.id} />
        {hidden > 0 && <span class="hidden-count">+{hidden}</span>}
        <Badge tone={toneOf(agent)}>{formatStatus(agent)}</Badge>
      </span>
      <span class="line">
        <span class="now" title={activity?.detail ?? undefined}>
          {activity === null ? `now ${UNKNOWN_TEXT}` : formatActivity(agent)}
        </span>
        {activity?.inferred === true && <InferredMark />}
        <span class="since" title="Time since the start of the activity">
          {isLive && activity !== null && <Age at={activity.since} />}
        </span>
        <span class="hint origin" title={`${agent.type} of ${agent.serverId}`}>
          {agent.type} · {agent.serverId}
        </span>
      </span>
      <span class="line figures">
        <span class="model" title={`Model: ${model ?? 'unknown'}`}>
          {model === null ? `model ${UNKNOWN_TEXT}` : <CutText text={model} />}
        </span>
        <span class="context" title="Used share of the context window">
          {ratio === null ? (
            `context ${formatCompact(agent.context?.usedTokens ?? null)}`
          ) : (
            <>
              <Meter ratio={ratio} label="Context window" />
              {formatPercent(ratio)}
            </>
          )}
        </span>
        <span class="tokens" title="Tokens">
          tokens {formatTokens(agent)}
        </span>
        <span class="cost" title={explainCost(cost)}>
          {cost.costUsd === null ? `cost ${UNKNOWN_TEXT}` : formatCost(cost)}
        </span>
      </span>
    </span>
  );
}

/** Marks a value that is derived from other facts. */
export function InferredMark(): JSX.Element {
  return (
    <span class="inferred" title="Derived from other facts, not reported">
      inferred
    </span>
  );
}
