import type { Agent, AgentStreamSnapshot, AgentStatus } from '@swarmlens/client';
import { reorderChildren, createButton, createElement, findElement, setText } from '../ui/dom.js';
import { ringColor, type Theme } from '../graph/agent-style.js';
import type { GraphView } from '../graph/graph-view.js';
import { formatEnumValue } from '../ui/format.js';

const LEGEND_STATUSES: readonly AgentStatus[] = [
  'ACTIVE',
  'BUSY',
  'WAITING',
  'IDLE',
  'PAUSED',
  'INITIALIZING',
  'ERROR',
];

/** Controls of the graph: search, buttons, keys, legend, and a text when the graph is empty or missing. */
export class GraphControls {
  readonly #empty = findElement('stage-empty', HTMLParagraphElement);
  readonly #frames = findElement('frames', HTMLParagraphElement);
  readonly #legend = findElement('legend', HTMLDivElement);
  readonly #search = createElement('input', '');
  readonly #statuses = createElement('ul', '');
  readonly #graphView: GraphView | null;
  #legendFor: Theme | null = null;

  /** @param graphView null if the browser has no WebGL */
  constructor(graphView: GraphView | null, onSearch: () => void) {
    this.#graphView = graphView;
    this.#search.type = 'search';
    this.#search.placeholder = 'Search agents';
    this.#search.setAttribute('aria-label', 'Search agents');
    const form = findElement('search', HTMLFormElement);
    form.append(this.#search);
    form.addEventListener('submit', (event) => event.preventDefault());
    this.#search.addEventListener('input', onSearch);
    if (graphView === null) {
      for (const id of ['zoom', 'legend']) findElement(id, HTMLElement).hidden = true;
      return;
    }
    this.#addButtons(graphView);
    this.#addKeys(graphView);
    const lines = createElement('ul', '', createLineKey('reported', 'solid'), createLineKey('inferred', 'dashed'));
    const hint = createElement('p', 'hint', 'Color: type. Ring: status. Size: activity. Gray: stale.');
    this.#legend.append(this.#statuses, lines, hint);
  }

  /** Function that matches the search. Null if the search is empty. */
  get matcher(): ((agent: Agent) => boolean) | null {
    const text = this.#search.value.trim().toLowerCase();
    if (text === '') return null;
    return ({ name, type, status, id, swarmId }) =>
      [name, type, formatEnumValue(status), id, swarmId ?? ''].some((value) => value.toLowerCase().includes(text));
  }

  show({ agents, status, error, cursor, request }: AgentStreamSnapshot, theme: Theme): void {
    this.#showFrameTimes();
    this.#empty.hidden = agents.size > 0 && this.#graphView !== null;
    setText(
      this.#empty,
      this.#formatEmptyText(agents.size, cursor !== null, hasFilters(request), error, status === 'ENDED'),
    );
    if (theme === this.#legendFor) return;
    this.#legendFor = theme;
    reorderChildren(
      this.#statuses,
      LEGEND_STATUSES.map((entry) => createRingKey(formatEnumValue(entry), ringColor(entry, theme))),
    );
  }

  #formatEmptyText(
    agents: number,
    hasData: boolean,
    isFiltered: boolean,
    error: Error | null,
    hasEnded: boolean,
  ): string {
    if (error !== null && agents === 0) return `${hasEnded ? '' : 'Retrying: '}${error.message}`;
    if (agents > 0) return 'This browser has no WebGL to draw the graph. The list of agents shows the same data.';
    if (!hasData) return 'Waiting for the first agents.';
    return isFiltered
      ? 'No agent matches these filters. They appear here as soon as a server reports one.'
      : 'No agents. They appear here as soon as a server reports one.';
  }

  #showFrameTimes(): void {
    const { frames } = this.#graphView ?? {};
    const [median, p95] = [frames?.percentile(0.5) ?? null, frames?.percentile(0.95) ?? null];
    if (median !== null && p95 !== null)
      setText(this.#frames, `frame ${median.toFixed(1)} ms · p95 ${p95.toFixed(1)} ms`);
  }

  #addButtons(graphView: GraphView): void {
    const createLabeled = (text: string, label: string, onClick: () => void): HTMLButtonElement => {
      const button = createButton(text, onClick);
      button.setAttribute('aria-label', label);
      button.title = label;
      return button;
    };
    findElement('zoom', HTMLDivElement).append(
      createLabeled('+', 'Zoom in', () => graphView.zoom(1.5)),
      createLabeled('−', 'Zoom out', () => graphView.zoom(1 / 1.5)),
      createLabeled('⤢', 'Show all agents', () => graphView.fit()),
    );
  }

  #addKeys(graphView: GraphView): void {
    findElement('stage', HTMLDivElement).addEventListener('keydown', (event) => {
      const action = {
        ArrowLeft: () => graphView.pan(-1, 0),
        ArrowRight: () => graphView.pan(1, 0),
        ArrowUp: () => graphView.pan(0, -1),
        ArrowDown: () => graphView.pan(0, 1),
        '+': () => graphView.zoom(1.5),
        '-': () => graphView.zoom(1 / 1.5),
        '0': () => graphView.fit(),
      }[event.key];
      if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    });
  }
}

function hasFilters({ serverTypes, agentTypes, swarmIds }: AgentStreamSnapshot['request']): boolean {
  return serverTypes !== null || agentTypes !== null || swarmIds !== null;
}

function createRingKey(text: string, color: string): HTMLLIElement {
  const mark = createElement('span', 'ring');
  mark.style.borderColor = color;
  return createElement('li', '', mark, text);
}

function createLineKey(text: string, kind: 'solid' | 'dashed'): HTMLLIElement {
  return createElement('li', '', createElement('span', `stroke ${kind}`), text);
}
