import type { Health } from '@swarmlens/client';
import { reorderChildren, createBadge, createElement, setBadge, setText } from '../ui/dom.js';
import { formatMilliseconds, SERVER_TONES, formatEnumValue } from '../ui/format.js';
import { BreakerBadge } from './breaker-badge.js';

interface Row {
  readonly element: HTMLTableRowElement;
  readonly status: HTMLSpanElement;
  readonly use: HTMLElement;
  readonly latency: HTMLElement;
  readonly restarts: HTMLElement;
  readonly breaker: BreakerBadge;
}

/** Replicas of one server. Hidden if there is only one. */
export class ReplicaTable {
  readonly element = createElement('div', 'scroll');
  readonly #body = createElement('tbody', '');
  readonly #rows = new Map<string, Row>();

  constructor() {
    const head = createElement('tr', '');
    for (const name of ['Replica', 'Status', 'Calls', 'p95', 'Restarts', 'Breaker'])
      head.append(createColumnHeader(name));
    this.element.tabIndex = 0;
    this.element.setAttribute('role', 'region');
    this.element.setAttribute('aria-label', 'Replicas');
    this.element.append(createElement('table', '', createElement('thead', '', head), this.#body));
  }

  show(replicas: Health['servers'][number]['replicas'], serverNowMs: number): void {
    this.element.hidden = replicas.length < 2;
    if (replicas.length < 2) return;
    reorderChildren(
      this.#body,
      replicas.map((replica) => {
        const row = this.#rows.get(replica.id) ?? this.#add(replica.id);
        setBadge(row.status, formatEnumValue(replica.status), SERVER_TONES[replica.status]);
        row.status.title = replica.lastError ?? '';
        setText(row.use, replica.inUse ? `in use, ${replica.inFlight} in flight` : 'standby');
        setText(row.latency, formatMilliseconds(replica.latency.p95Ms));
        setText(row.restarts, `${replica.restarts}`);
        row.breaker.show(replica.circuitBreaker, serverNowMs);
        return row.element;
      }),
    );
  }

  updateCountdown(serverNowMs: number): void {
    for (const { breaker } of this.#rows.values()) breaker.updateCountdown(serverNowMs);
  }

  #add(id: string): Row {
    const name = createElement('th', '', id);
    name.scope = 'row';
    const breaker = new BreakerBadge();
    const status = createBadge('', 'neutral');
    const [use, latency, restarts] = [
      createElement('td', ''),
      createElement('td', 'number'),
      createElement('td', 'number'),
    ];
    const cells = [
      name,
      createElement('td', '', status),
      use,
      latency,
      restarts,
      createElement('td', '', breaker.element),
    ];
    const row = { element: createElement('tr', '', ...cells), status, use, latency, restarts, breaker };
    this.#rows.set(id, row);
    return row;
  }
}

export function createColumnHeader(name: string): HTMLTableCellElement {
  const cell = createElement('th', '', name);
  cell.scope = 'col';
  return cell;
}
