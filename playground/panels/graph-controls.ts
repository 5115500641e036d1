import type { Agent, AgentStreamSnapshot, AgentStatus } from '@swarmlens/client';
import { reorderChildren, createButton, createElement, findElement, setText } from '../ui/dom.js';
import { ringColor, type Theme } from '../graph/agent-style.js';
import type { GraphView } from '../graph/graph-view.js';
import { formatEnumValue } from '../ui/format.js';

const LEGEND_STATUSES: readonly AgentStatus[] = ['ACTIVE', 'BUSY', 'IDLE', 'PAUSED', 'INITIALIZING', 'ERROR'];

/** What lies around the graph: search, the view's buttons and keys, the legend, and words when there is no graph. */
export class GraphControls {
  readonly #empty = findElement('stage-empty', HTMLParagraphElement);
  readonly #frames = findElement('frames', HTMLParagraphElement);
  readonly #legend = findElement('legend', HTMLDivElement);
  readonly #search = createElement('input', '');
  readonly #statuses = createElement('ul', '');
  readonly #scene: GraphView | null;
  #legendFor: Theme | null = null;

  /** @param scene null: this browser cannot draw it */
  constructor(scene: GraphView | null, searched: () => void) {
    this.#scene = scene;
    this.#search.type = 'search';
    this.#search.placeholder = 'Search agents';
    this.#search.setAttribute('aria-label', 'Search agents');
    const form = findElement('search', HTMLFormElement);
    form.append(this.#search);
    form.addEventListener('submit', (submitted) => submitted.preventDefault());
    this.#search.addEventListener('input', searched);
    if (scene === null) {
      for (const id of ['zoom', 'legend']) findElement(id, HTMLElement).hidden = true;
      return;
    }
    this.#addButtons(scene);
    this.#addKeys(scene);
    const lines = createElement('ul', '', lineOf('reported', 'solid'), lineOf('inferred', 'dashed'));
    const others = createElement('p', 'hint', 'Colour: type. Ring: status. Size: activity. Grey: last known values.');
    this.#legend.append(this.#statuses, lines, others);
  }

  /** What is searched for; null: nothing. */
  get sought(): ((agent: Agent) => boolean) | null {
    const text = this.#search.value.trim().toLowerCase();
    if (text === '') return null;
    return ({ name, type, status, id, swarmId }) =>
      [name, type, formatEnumValue(status), id, swarmId ?? ''].some((value) => value.toLowerCase().includes(text));
  }

  show({ agents, status, error, cursor, request }: AgentStreamSnapshot, theme: Theme): void {
    this.#tellFrames();
    this.#empty.hidden = agents.size > 0 && this.#scene !== null;
    setText(this.#empty, this.#words(agents.size, cursor !== null, isNarrowed(request), error, status === 'ENDED'));
    if (theme === this.#legendFor) return;
    this.#legendFor = theme;
    reorderChildren(
      this.#statuses,
      LEGEND_STATUSES.map((known) => keyOf(formatEnumValue(known), ringColor(known, theme))),
    );
  }

  #words(agents: number, isKnown: boolean, narrowed: boolean, error: Error | null, isOver: boolean): string {
    if (error !== null && agents === 0) return `${isOver ? '' : 'Trying again: '}${error.message}`;
    if (agents > 0) return 'This browser has no WebGL to draw the graph with; the list of agents has the same.';
    if (!isKnown) return 'Waiting for the first agents.';
    return narrowed
      ? 'No agent matches these filters. They appear here as soon as a server reports one.'
      : 'No agents. They appear here as soon as a server reports one.';
  }

  #tellFrames(): void {
    const { frames } = this.#scene ?? {};
    const [half, most] = [frames?.percentile(0.5) ?? null, frames?.percentile(0.95) ?? null];
    if (half !== null && most !== null)
      setText(this.#frames, `frame ${half.toFixed(1)} ms · p95 ${most.toFixed(1)} ms`);
  }

  #addButtons(scene: GraphView): void {
    const named = (text: string, name: string, press: () => void): HTMLButtonElement => {
      const made = createButton(text, press);
      made.setAttribute('aria-label', name);
      made.title = name;
      return made;
    };
    findElement('zoom', HTMLDivElement).append(
      named('+', 'Nearer', () => scene.zoom(1.5)),
      named('−', 'Farther', () => scene.zoom(1 / 1.5)),
      named('⤢', 'Show everything', () => scene.fit()),
    );
  }

  #addKeys(scene: GraphView): void {
    findElement('stage', HTMLDivElement).addEventListener('keydown', (event) => {
      const act = {
        ArrowLeft: () => scene.pan(-1, 0),
        ArrowRight: () => scene.pan(1, 0),
        ArrowUp: () => scene.pan(0, -1),
        ArrowDown: () => scene.pan(0, 1),
        '+': () => scene.zoom(1.5),
        '-': () => scene.zoom(1 / 1.5),
        '0': () => scene.fit(),
      }[event.key];
      if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
  }
}

function isNarrowed({ serverTypes, agentTypes, swarmIds }: AgentStreamSnapshot['request']): boolean {
  return serverTypes !== null || agentTypes !== null || swarmIds !== null;
}

function keyOf(text: string, colour: string): HTMLLIElement {
  const mark = createElement('span', 'ring');
  mark.style.borderColor = colour;
  return createElement('li', '', mark, text);
}

function lineOf(text: string, kind: 'solid' | 'dashed'): HTMLLIElement {
  return createElement('li', '', createElement('span', `stroke ${kind}`), text);
}
