import type { ToolHealthFragment } from '@swarmlens/client';
import { createElement, setText } from '../ui/dom.js';
import { formatTimeOfDay, formatMilliseconds } from '../ui/format.js';
import { createColumnHeader } from './replica-table.js';

/** The tools that a server offers, and how the calls of those went that were called. */
export class ToolTable {
  readonly element: HTMLDetailsElement;
  readonly #summary = createElement('summary', '');
  readonly #body = createElement('tbody', '');
  readonly #remote = createElement('p', 'hint');
  #shown = '';

  constructor() {
    const head = createElement('tr', '');
    for (const name of ['Tool', 'Calls', 'Failed', 'p95', 'Last error']) head.append(createColumnHeader(name));
    const scroll = createElement(
      'div',
      'scroll',
      createElement('table', '', createElement('thead', '', head), this.#body),
    );
    scroll.tabIndex = 0;
    scroll.setAttribute('role', 'region');
    scroll.setAttribute('aria-label', 'Tools that were called');
    this.element = createElement('details', 'tools', this.#summary, scroll, this.#remote);
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
    setText(this.#remote, others.length === 0 ? '' : `Not called: ${others.join(', ')}`);
  }
}

function rowOf({ name, calls, failures, consecutiveFailures, latency, lastError, lastFailedAt }: ToolHealthFragment) {
  const head = createElement('th', '', name);
  head.scope = 'row';
  const error =
    lastError === null ? '' : `${lastFailedAt === null ? '' : `${formatTimeOfDay(lastFailedAt)} `}${lastError}`;
  const row = createElement(
    'tr',
    '',
    head,
    createElement('td', 'number', `${calls}`),
    createElement('td', 'number', `${failures}`),
    createElement('td', 'number', formatMilliseconds(latency.p95Ms)),
    createElement('td', 'wide', error),
  );
  if (consecutiveFailures > 0) row.className = 'failing';
  return row;
}
