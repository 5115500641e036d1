import type { Agent } from '@swarmlens/client';
import { reorderChildren, createBadge, createElement, findElement, setBadge, setText } from '../ui/dom.js';
import { fillColor, type Theme } from '../graph/agent-style.js';
import { shortenName, sortKey } from '../ui/labels.js';
import { AGENT_TONES, formatEnumValue } from '../ui/format.js';

/** Maximum number of rows, limited by the browser's layout time. */
const MAX_ROWS = 200;
const MAX_NAME = 16;

interface Row {
  readonly element: HTMLLIElement;
  readonly dot: HTMLSpanElement;
  readonly name: HTMLSpanElement;
  readonly hint: HTMLSpanElement;
  readonly status: HTMLSpanElement;
  agent: Agent | null;
}

/** List of agents beside the graph. The user selects an agent with keyboard or pointer. */
export class AgentsPanel {
  readonly #list = findElement('agents', HTMLUListElement);
  readonly #count = findElement('agents-count', HTMLParagraphElement);
  readonly #note = findElement('agents-note', HTMLParagraphElement);
  readonly #rows = new Map<string, Row>();
  readonly #select: (agentId: string) => void;
  readonly #lookAt: (agentId: string) => void;
  readonly #keys = new Map<string, { readonly name: string; readonly key: string }>();
  #order: readonly string[] = [];
  #selected: string | null = null;
  #theme: Theme | null = null;

  /** @param lookAt moves the graph to an agent */
  constructor(select: (agentId: string) => void, lookAt: (agentId: string) => void) {
    this.#select = select;
    this.#lookAt = lookAt;
    this.#list.addEventListener('keydown', (event) => this.#moveSelection(event));
  }

  /** @param matching agents to list, of `total` agents */
  show(matching: readonly Agent[], total: number, theme: Theme): void {
    if (theme !== this.#theme) for (const row of this.#rows.values()) row.agent = null;
    this.#theme = theme;
    const shown = this.#sorted(matching).slice(0, MAX_ROWS);
    this.#order = shown.map(({ id }) => id);
    const ids = new Set(this.#order);
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
    reorderChildren(
      this.#list,
      shown.map((agent) => this.#updateRow(agent, theme)),
    );
    setText(this.#count, matching.length === total ? `${total}` : `${matching.length} of ${total}`);
    this.#note.hidden = total > 0 && matching.length > 0 && matching.length <= MAX_ROWS;
    setText(this.#note, formatNote(matching.length, total));
    this.#mark();
  }

  select(agentId: string | null): void {
    this.#selected = agentId;
    this.#mark();
    if (agentId !== null) this.#rows.get(agentId)?.element.scrollIntoView({ block: 'nearest' });
  }

  #mark(): void {
    for (const [id, { element: row }] of this.#rows) row.setAttribute('aria-selected', `${id === this.#selected}`);
    const active = this.#selected === null ? undefined : this.#rows.get(this.#selected);
    if (active === undefined) this.#list.removeAttribute('aria-activedescendant');
    else this.#list.setAttribute('aria-activedescendant', active.element.id);
  }

  /** Sorts by values that do not change while an agent works, so that rows stay in place. */
  #sorted(agents: readonly Agent[]): readonly Agent[] {
    const keyed = agents.map((agent) => ({ agent, key: this.#getKey(agent) }));
    if (this.#keys.size > 2 * agents.length + MAX_ROWS) this.#keys.clear();
    return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ agent }) => agent);
  }

  #getKey({ id, name, serverId }: Agent): string {
    const known = this.#keys.get(id);
    if (known?.name === name) return known.key;
    const key = sortKey(`${serverId} ${name} ${id}`);
    this.#keys.set(id, { name, key });
    return key;
  }

  #moveSelection(event: KeyboardEvent): void {
    if (event.key === 'Enter' && this.#selected !== null) this.#lookAt(this.#selected);
    const current = this.#selected === null ? -1 : this.#order.indexOf(this.#selected);
    const last = this.#order.length - 1;
    const target = {
      ArrowDown: Math.min(current + 1, last),
      ArrowUp: Math.max(current - 1, 0),
      PageDown: Math.min(current + 10, last),
      PageUp: Math.max(current - 10, 0),
      Home: 0,
      End: last,
    }[event.key];
    const id = target === undefined ? undefined : this.#order[target];
    if (id === undefined) return;
    event.preventDefault();
    this.#select(id);
  }

  #updateRow(agent: Agent, theme: Theme): HTMLLIElement {
    const row = this.#rows.get(agent.id) ?? this.#add(agent.id);
    if (row.agent === agent) return row.element;
    row.agent = agent;
    row.dot.style.backgroundColor = agent.stale ? '' : fillColor(agent.type, theme);
    setText(row.name, shortenName(agent.name, MAX_NAME));
    setText(row.hint, [agent.type, agent.serverId, ...(agent.stale ? ['stale'] : [])].join(' · '));
    setBadge(row.status, formatEnumValue(agent.status), AGENT_TONES[agent.status]);
    row.element.classList.toggle('stale', agent.stale);
    return row.element;
  }

  #add(id: string): Row {
    const row: Row = {
      element: createElement('li', 'agent'),
      dot: createElement('span', 'dot'),
      name: createElement('span', 'name'),
      hint: createElement('span', 'hint'),
      status: createBadge('', 'neutral'),
      agent: null,
    };
    row.element.id = `agent ${id}`.replaceAll(/\s/g, '-');
    row.element.setAttribute('role', 'option');
    row.element.append(row.dot, createElement('span', 'words', row.name, row.hint), row.status);
    row.element.addEventListener('click', () => this.#select(id));
    this.#rows.set(id, row);
    return row;
  }
}

function formatNote(matching: number, total: number): string {
  if (total === 0) return 'No agents.';
  if (matching === 0) return 'No agent matches in name, type, status, server or swarm.';
  return `Showing the first ${MAX_ROWS}. Search to find the others.`;
}
