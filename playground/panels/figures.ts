import type { Agent } from '../../src/client/index.js';
import type { Arrival } from '../agent-stream.js';
import { element, find, setText } from '../dom.js';
import { hertz, UNKNOWN } from '../words.js';

const NAMES = ['agents', 'at work', 'failed', 'stale', 'updates', 'snapshots', 'rate'] as const;
type Name = (typeof NAMES)[number];

/** Numbers of the whole, and of the stream that brings them. */
export class FiguresPanel {
  readonly #values = new Map<Name, HTMLElement>();
  #updates = 0;
  #snapshots = 0;

  constructor() {
    const list = find('figures', HTMLDListElement);
    for (const name of NAMES) {
      const value = element('dd', '', UNKNOWN);
      this.#values.set(name, value);
      list.append(element('div', '', element('dt', '', name), value));
    }
  }

  /** To be called for each update, shown or not. */
  count({ kind }: Arrival): void {
    this.#updates += 1;
    if (kind === 'SNAPSHOT') this.#snapshots += 1;
  }

  show({ agents, rate }: Arrival): void {
    const all = [...agents.values()];
    const number = (matches: (agent: Agent) => boolean): string => `${all.filter(matches).length}`;
    this.#set('agents', `${all.length}`);
    this.#set(
      'at work',
      number(({ status }) => status === 'ACTIVE' || status === 'BUSY'),
    );
    this.#set(
      'failed',
      number(({ status }) => status === 'ERROR'),
    );
    this.#set(
      'stale',
      number(({ stale }) => stale),
    );
    this.#set('updates', `${this.#updates}`);
    this.#set('snapshots', `${this.#snapshots}`);
    this.#set(
      'rate',
      rate.requestedHz === 0 ? 'on demand' : `${hertz(rate.effectiveHz)} of ${hertz(rate.requestedHz)}`,
    );
  }

  #set(name: Name, text: string): void {
    const value = this.#values.get(name);
    if (value !== undefined) setText(value, text);
  }
}
