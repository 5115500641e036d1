import type { Health } from '../../src/client/index.js';
import { arrange, badge, element, setBadge, setText } from '../dom.js';
import { milliseconds, SERVER_TONES, word } from '../words.js';
import { BreakerBadge } from './breaker.js';

interface Row {
  readonly element: HTMLTableRowElement;
  readonly status: HTMLSpanElement;
  readonly use: HTMLElement;
  readonly latency: HTMLElement;
  readonly restarts: HTMLElement;
  readonly breaker: BreakerBadge;
}

/** The endpoints of one server; nothing to see where there is one only. */
export class ReplicaTable {
  readonly element = element('div', 'scroll');
  readonly #body = element('tbody', '');
  readonly #rows = new Map<string, Row>();

  constructor() {
    const head = element('tr', '');
    for (const name of ['Replica', 'Status', 'Calls', 'p95', 'Restarts', 'Breaker']) head.append(columnHead(name));
    this.element.tabIndex = 0;
    this.element.setAttribute('role', 'region');
    this.element.setAttribute('aria-label', 'Replicas');
    this.element.append(element('table', '', element('thead', '', head), this.#body));
  }

  show(replicas: Health['servers'][number]['replicas'], serverNowMs: number): void {
    this.element.hidden = replicas.length < 2;
    if (replicas.length < 2) return;
    arrange(
      this.#body,
      replicas.map((replica) => {
        const row = this.#rows.get(replica.id) ?? this.#add(replica.id);
        setBadge(row.status, word(replica.status), SERVER_TONES[replica.status]);
        row.status.title = replica.lastError ?? '';
        setText(row.use, replica.inUse ? `in use, ${replica.inFlight} under way` : 'waits');
        setText(row.latency, milliseconds(replica.latency.p95Ms));
        setText(row.restarts, `${replica.restarts}`);
        row.breaker.show(replica.circuitBreaker, serverNowMs);
        return row.element;
      }),
    );
  }

  count(serverNowMs: number): void {
    for (const { breaker } of this.#rows.values()) breaker.count(serverNowMs);
  }

  #add(id: string): Row {
    const name = element('th', '', id);
    name.scope = 'row';
    const breaker = new BreakerBadge();
    const status = badge('', 'neutral');
    const [use, latency, restarts] = [element('td', ''), element('td', 'number'), element('td', 'number')];
    const cells = [name, element('td', '', status), use, latency, restarts, element('td', '', breaker.element)];
    const row = { element: element('tr', '', ...cells), status, use, latency, restarts, breaker };
    this.#rows.set(id, row);
    return row;
  }
}

export function columnHead(name: string): HTMLTableCellElement {
  const cell = element('th', '', name);
  cell.scope = 'col';
  return cell;
}
