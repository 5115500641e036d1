import type { ToolHealthFragment } from '@swarmlens/client';
import { createElement, setText } from '../ui/dom.js';
import { formatTimeOfDay, formatMilliseconds } from '../ui/format.js';
import { createColumnHeader } from './replica-table.js';

/** Tools of a server, with statistics of those that were called. */
export class ToolTable {
  readonly element: HTMLDetailsElement;
  readonly #summary = createElement('summary', '');
  readonly #body = createElement('tbody', '');
  readonly #notCalled = createElement('p', 'hint');
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
    scroll.setAttribute('aria-label', 'Called tools');
    this.element = createElement('details', 'tools', this.#summary, scroll, this.#notCalled);
    this.element.addEventListener('toggle', () => {
      this.#shown = '';
    });
  }

  show(tools: readonly string[], health: readonly ToolHealthFragment[]): void {
    const failing = health.filter(({ consecutiveFailures }) => consecutiveFailures > 0).length;
    setText(this.#summary, `${tools.length} tools${failing === 0 ? '' : `, ${failing} failing`}`);
    // Skips a closed table, and one whose content has not changed.
    const shown = JSON.stringify([tools, health]);
    if (!this.element.open || shown === this.#shown) return;
    this.#shown = shown;
    this.#body.replaceChildren(...health.map(createRow));
    const called = new Set(health.map(({ name }) => name));
    const others = tools.filter((name) => !called.has(name));
    setText(this.#notCalled, others.length === 0 ? '' : `Not called: ${others.join(', ')}`);
  }
}

function createRow({
  name,
  calls,
  failures,
  consecutiveFailures,
  latency,
  lastError,
  lastFailedAt,
}: ToolHealthFragment) {
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
