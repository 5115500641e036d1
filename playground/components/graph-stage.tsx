import type { AgentStatus } from '@swarmlens/client';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ringColor } from '../graph/agent-style.js';
import { GraphView } from '../graph/graph-view.js';
import { describeEmptyList } from '../model/describe-empty-list.js';
import type { PageState } from '../state/page-state.js';
import { formatEnumValue, formatHertz } from '../ui/format.js';
import { Dot } from './basics.js';
import { usePage } from './page-context.js';

const LEGEND_STATUSES: readonly AgentStatus[] = [
  ...(['ACTIVE', 'BUSY', 'WAITING', 'IDLE', 'PAUSED', 'INITIALIZING', 'ERROR'] as const),
];

/** Live graph of the agents with its controls. */
export function GraphStage(): JSX.Element {
  const page = usePage();
  const stage = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (stage.current !== null) openGraph(page, stage.current);
  }, []);
  const hasGraph = page.graph.value !== null;
  return (
    <div class="panel stage">
      <div class="view">
        <div
          id="stage"
          ref={stage}
          class="canvas"
          tabIndex={0}
          role="application"
          aria-label="Graph of the agents"
          aria-describedby="stage-keys"
          onKeyDown={(event) => handleKey(event, page.graph.value)}
        />
        <p id="stage-keys" class="unseen">
          Arrow keys move the view, plus and minus zoom, 0 shows all agents. The list of agents contains the same data
          as text.
        </p>
        {hasGraph && <ZoomButtons />}
        <StageText />
        <Rates />
      </div>
      {hasGraph && <Legend />}
    </div>
  );
}

function openGraph(page: PageState, container: HTMLElement): void {
  try {
    page.graph.value = new GraphView({
      container,
      theme: page.theme.peek(),
      isStill: matchMedia('(prefers-reduced-motion: reduce)').matches,
      onSelect: (agentId) => page.select(agentId),
      onLost: (isLost) => {
        page.isGraphLost.value = isLost;
      },
      onFrame: (intervalMs) => page.drawRate.addFrame(intervalMs),
    });
  } catch {
    page.hasWebGl.value = false;
  }
}

/** Text when the graph is empty, missing or lost. */
function StageText(): JSX.Element | null {
  const page = usePage();
  const text = describeStage(page);
  if (text === null) return null;
  const isLost = page.isGraphLost.value;
  return (
    <div id="stage-empty" class="stage-empty" role="status">
      <p>{text}</p>
      {isLost && (
        <button type="button" onClick={() => restoreGraph(page)}>
          Draw the graph again
        </button>
      )}
    </div>
  );
}

function describeStage({ agents, stream, isFiltered, hasWebGl, isGraphLost }: PageState): string | null {
  if (!hasWebGl.value) return 'This browser has no WebGL to draw the graph. The list of agents shows the same data.';
  if (isGraphLost.value)
    return 'The browser has taken the graphics memory of the graph away. The list of agents shows the same data.';
  return agents.value.size > 0 ? null : describeEmptyList(stream.value, isFiltered.value);
}

function restoreGraph({ graph, hasWebGl }: PageState): void {
  try {
    graph.value?.restore();
  } catch {
    hasWebGl.value = false;
  }
}

function ZoomButtons(): JSX.Element {
  const { graph } = usePage();
  const buttons = [
    ['+', 'Zoom in', () => graph.value?.zoom(1.5)],
    ['−', 'Zoom out', () => graph.value?.zoom(1 / 1.5)],
    ['⤢', 'Show all agents', () => graph.value?.fit()],
  ] as const;
  return (
    <div id="zoom" class="zoom" role="group" aria-label="View">
      {buttons.map(([text, label, onClick]) => (
        <button key={label} type="button" aria-label={label} title={label} onClick={onClick}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** Update rates of the stream, and times of drawn frames. */
function Rates(): JSX.Element {
  const { stream, maxHz, graph, nowMs } = usePage();
  const { rate } = stream.value;
  // Frame times change without a signal.
  const isCurrent = nowMs.value > 0;
  const { frames } = graph.value ?? {};
  const [median, p95] = isCurrent ? [frames?.percentile(0.5) ?? null, frames?.percentile(0.95) ?? null] : [null, null];
  const texts = [
    ...(rate === null ? [] : [formatRate(rate)]),
    ...(maxHz.value === null || rate?.requestedHz !== maxHz.value
      ? []
      : [`limited to ${formatHertz(maxHz.value)} by this page`]),
    ...(median === null || p95 === null ? [] : [`frame ${median.toFixed(1)} ms · p95 ${p95.toFixed(1)} ms`]),
  ];
  return (
    <p id="frames" class="hint frames">
      {texts.join(' · ')}
    </p>
  );
}

function formatRate({
  effectiveHz,
  requestedHz,
}: {
  readonly effectiveHz: number;
  readonly requestedHz: number;
}): string {
  if (requestedHz === 0) return 'updates on demand';
  return `updates ${formatHertz(effectiveHz)} of ${formatHertz(requestedHz)}`;
}

function Legend(): JSX.Element {
  const { theme } = usePage();
  return (
    <div id="legend" class="legend" role="group" aria-label="Legend">
      <ul>
        {LEGEND_STATUSES.map((status) => (
          <li key={status}>
            <Dot kind="ring" color={ringColor(status, theme.value)} />
            {formatEnumValue(status)}
          </li>
        ))}
      </ul>
      <ul>
        <li>
          <span class="stroke parent" />
          started by
        </li>
        <li>
          <span class="stroke" />
          topology
        </li>
        <li>
          <span class="stroke dashed" />
          inferred
        </li>
      </ul>
      <p class="hint">Color: type. Ring: status. Size: activity. Gray: stale.</p>
    </div>
  );
}

function handleKey(event: KeyboardEvent, graph: GraphView | null): void {
  if (graph === null) return;
  const action = {
    ArrowLeft: () => graph.pan(-1, 0),
    ArrowRight: () => graph.pan(1, 0),
    ArrowUp: () => graph.pan(0, -1),
    ArrowDown: () => graph.pan(0, 1),
    '+': () => graph.zoom(1.5),
    '-': () => graph.zoom(1 / 1.5),
    '0': () => graph.fit(),
  }[event.key];
  if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
}
