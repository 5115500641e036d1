import type { Agent } from '../../src/client/index.js';
import { badge, element, find, setText, setTone } from '../dom.js';
import { AGENT_TONES, UNKNOWN, word } from '../words.js';

/** Rows that a browser lays out without effort sixty times a second. */
const MAX_ROWS = 500;

interface Row {
  readonly element: HTMLTableRowElement;
  agent: Agent;
}

/** The table of agents. It touches only rows whose agent is another object than before. */
export class AgentsPanel {
  readonly #body: HTMLTableSectionElement;
  readonly #empty = find('no-agents', HTMLParagraphElement);
  readonly #more = find('more-agents', HTMLParagraphElement);
  readonly #rows = new Map<string, Row>();
  #order: readonly string[] = [];

  constructor() {
    const [body] = find('agents', HTMLTableElement).tBodies;
    if (body === undefined) throw new Error('the table of agents has no body');
    this.#body = body;
  }

  show(agents: ReadonlyMap<string, Agent>): void {
    this.#sort(agents);
    const shown = this.#order.slice(0, MAX_ROWS).flatMap((id) => agents.get(id) ?? []);
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let place = this.#body.firstElementChild;
    for (const agent of shown) {
      const row = this.#rowOf(agent);
      if (row === place) place = place.nextElementSibling;
      else this.#body.insertBefore(row, place);
    }
    this.#empty.hidden = agents.size > 0;
    setText(this.#empty, 'No agent matches. They appear here as soon as a server reports one.');
    this.#more.hidden = agents.size <= MAX_ROWS;
    setText(this.#more, `The first ${MAX_ROWS} of ${agents.size} agents.`);
  }

  #sort(agents: ReadonlyMap<string, Agent>): void {
    if (this.#order.length === agents.size && this.#order.every((id) => agents.has(id))) return;
    this.#order = [...agents.values()].sort(byPlace).map(({ id }) => id);
  }

  #rowOf(agent: Agent): HTMLTableRowElement {
    const known = this.#rows.get(agent.id);
    if (known !== undefined) {
      if (known.agent !== agent) {
        fill(known.element, agent);
        known.agent = agent;
      }
      return known.element;
    }
    const row = { element: emptyRow(), agent };
    fill(row.element, agent);
    this.#rows.set(agent.id, row);
    return row.element;
  }
}

/** `coder-2` before `coder-10` */
const { compare } = new Intl.Collator('en', { numeric: true });

/** Where an agent stands in the table: nothing that changes while it works, so rows do not jump about. */
function byPlace(a: Agent, b: Agent): number {
  return compare(a.serverId, b.serverId) || compare(a.name, b.name) || compare(a.id, b.id);
}

function emptyRow(): HTMLTableRowElement {
  const name = element('th', '');
  name.scope = 'row';
  const numbers = ['number', 'number', 'number'].map((className) => element('td', className));
  const status = element('td', '', badge('', 'neutral'));
  return element(
    'tr',
    '',
    ...[name, element('td', ''), status, element('td', ''), element('td', ''), ...numbers, element('td', '')],
  );
}

function fill(row: HTMLTableRowElement, agent: Agent): void {
  const { performance } = agent;
  const swarm = agent.swarmId?.slice(agent.serverId.length + 1) ?? UNKNOWN;
  const texts = [
    agent.name,
    agent.type,
    null,
    agent.serverId,
    swarm,
    count(performance?.tasksActive),
    count(performance?.tasksCompleted),
    count(performance?.tasksFailed),
    agent.stale ? 'last known values' : agent.simulated ? 'simulator' : 'server',
  ];
  texts.forEach((text, index) => {
    const cell = row.cells[index];
    if (cell !== undefined && text !== null) setText(cell, text);
  });
  const status = row.querySelector<HTMLElement>('.badge');
  if (status !== null) {
    setText(status, word(agent.status));
    setTone(status, AGENT_TONES[agent.status]);
  }
  row.classList.toggle('stale', agent.stale);
  row.title = agent.id;
}

function count(value: number | null | undefined): string {
  return value == null ? UNKNOWN : `${value}`;
}
