import type { ToolHealthFragment } from '../../src/client/index.js';
import { element, setText } from '../dom.js';
import { clockTime, milliseconds } from '../words.js';
import { columnHead } from './replica-table.js';

/** The tools that a server offers, and how the calls of those went that were called. */
export class ToolTable {
  readonly element: HTMLDetailsElement;
  readonly #summary = element('summary', '');
  readonly #body = element('tbody', '');
  readonly #others = element('p', 'hint');
  #shown = '';

  constructor() {
    const head = element('tr', '');
    for (const name of ['Tool', 'Calls', 'Failed', 'p95', 'Last error']) head.append(columnHead(name));
    const scroll = element('div', 'scroll', element('table', '', element('thead', '', head), this.#body));
    scroll.tabIndex = 0;
    scroll.setAttribute('role', 'region');
    scroll.setAttribute('aria-label', 'Tools that were called');
    this.element = element('details', 'tools', this.#summary, scroll, this.#others);
    this.element.addEventListener('toggle', () => {
      this.#shown = '';
    });
  }

  show(tools: readonly string[], health: readonly ToolHealthFragment[]): void {
    const failing = health.filter(({ consecutiveFailures }) => consecutiveFailures > 0).length;
    setText(this.#summary, `${tools.length} tools${failing === 0 ? '' : `, ${failing} failing`}`);
    // A table that nobody sees is not worth its rows; one that says what it said is left alone.
    const shown = JSON.stringify([tools, health]);
    if (!this.element.open || shown === this.#shown) return;
    this.#shown = shown;
    this.#body.replaceChildren(...health.map(rowOf));
    const called = new Set(health.map(({ name }) => name));
    const others = tools.filter((name) => !called.has(name));
    setText(this.#others, others.length === 0 ? '' : `Not called: ${others.join(', ')}`);
  }
}

function rowOf({ name, calls, failures, consecutiveFailures, latency, lastError, lastFailedAt }: ToolHealthFragment) {
  const head = element('th', '', name);
  head.scope = 'row';
  const error = lastError === null ? '' : `${lastFailedAt === null ? '' : `${clockTime(lastFailedAt)} `}${lastError}`;
  const row = element(
    'tr',
    '',
    head,
    element('td', 'number', `${calls}`),
    element('td', 'number', `${failures}`),
    element('td', 'number', milliseconds(latency.p95Ms)),
    element('td', 'wide', error),
  );
  if (consecutiveFailures > 0) row.className = 'failing';
  return row;
}
