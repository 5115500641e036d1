import type { Agent, AgentsSnapshot, AgentStatus } from '../../src/client/index.js';
import { arrange, button, element, find, setText } from '../dom.js';
import { ringOf, type Theme } from '../graph/appearance.js';
import type { Scene } from '../graph/scene.js';
import { word } from '../words.js';

const LEGEND_STATUSES: readonly AgentStatus[] = ['ACTIVE', 'BUSY', 'IDLE', 'PAUSED', 'INITIALIZING', 'ERROR'];

/** What lies around the graph: search, the view's buttons and keys, the legend, and words when there is no graph. */
export class StagePanel {
  readonly #empty = find('stage-empty', HTMLParagraphElement);
  readonly #frames = find('frames', HTMLParagraphElement);
  readonly #legend = find('legend', HTMLDivElement);
  readonly #search = element('input', '');
  readonly #statuses = element('ul', '');
  readonly #scene: Scene | null;
  #legendFor: Theme | null = null;

  /** @param scene null: this browser cannot draw it */
  constructor(scene: Scene | null, searched: () => void) {
    this.#scene = scene;
    this.#search.type = 'search';
    this.#search.placeholder = 'Search agents';
    this.#search.setAttribute('aria-label', 'Search agents');
    const form = find('search', HTMLFormElement);
    form.append(this.#search);
    form.addEventListener('submit', (submitted) => submitted.preventDefault());
    this.#search.addEventListener('input', searched);
    if (scene === null) {
      for (const id of ['zoom', 'legend']) find(id, HTMLElement).hidden = true;
      return;
    }
    this.#addButtons(scene);
    this.#addKeys(scene);
    const lines = element('ul', '', lineOf('reported', 'solid'), lineOf('inferred', 'dashed'));
    const others = element('p', 'hint', 'Colour: type. Ring: status. Size: activity. Grey: last known values.');
    this.#legend.append(this.#statuses, lines, others);
  }

  /** What is searched for; null: nothing. */
  get sought(): ((agent: Agent) => boolean) | null {
    const text = this.#search.value.trim().toLowerCase();
    if (text === '') return null;
    return ({ name, type, status, id, swarmId }) =>
      [name, type, word(status), id, swarmId ?? ''].some((value) => value.toLowerCase().includes(text));
  }

  show({ agents, status, error, cursor, request }: AgentsSnapshot, theme: Theme): void {
    this.#tellFrames();
    this.#empty.hidden = agents.size > 0 && this.#scene !== null;
    setText(this.#empty, this.#words(agents.size, cursor !== null, isNarrowed(request), error, status === 'ENDED'));
    if (theme === this.#legendFor) return;
    this.#legendFor = theme;
    arrange(
      this.#statuses,
      LEGEND_STATUSES.map((known) => keyOf(word(known), ringOf(known, theme))),
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

  #addButtons(scene: Scene): void {
    const named = (text: string, name: string, press: () => void): HTMLButtonElement => {
      const made = button(text, press);
      made.setAttribute('aria-label', name);
      made.title = name;
      return made;
    };
    find('zoom', HTMLDivElement).append(
      named('+', 'Nearer', () => scene.zoom(1.5)),
      named('−', 'Farther', () => scene.zoom(1 / 1.5)),
      named('⤢', 'Show everything', () => scene.fit()),
    );
  }

  #addKeys(scene: Scene): void {
    find('stage', HTMLDivElement).addEventListener('keydown', (event) => {
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

function isNarrowed({ serverTypes, agentTypes, swarmIds }: AgentsSnapshot['request']): boolean {
  return serverTypes !== null || agentTypes !== null || swarmIds !== null;
}

function keyOf(text: string, colour: string): HTMLLIElement {
  const mark = element('span', 'ring');
  mark.style.borderColor = colour;
  return element('li', '', mark, text);
}

function lineOf(text: string, kind: 'solid' | 'dashed'): HTMLLIElement {
  return element('li', '', element('span', `stroke ${kind}`), text);
}
