import type { Health } from '../../src/client/index.js';
import { element, Facts, find } from '../dom.js';
import { bytes, duration, hertz, milliseconds, percent } from '../words.js';
import { TimeChart } from './time-chart.js';

/** The node that this page talks to. */
export class NodeCard {
  readonly #section = find('node', HTMLElement);
  readonly #facts = new Facts();
  readonly #delay = new TimeChart({
    title: 'event loop late',
    textOf: milliseconds,
    lines: [
      { name: 'p50', colour: '--line-a', isFilled: true },
      { name: 'p99', colour: '--line-b' },
    ],
  });
  readonly #memory = new TimeChart({
    title: 'memory',
    textOf: (value) => (value === null ? '–' : bytes(value)),
    lines: [
      { name: 'process', colour: '--line-a', isFilled: true },
      { name: 'heap', colour: '--line-b' },
    ],
  });

  constructor() {
    this.#section.append(this.#facts.list, element('div', 'charts', this.#delay.element, this.#memory.element));
  }

  show({ connections, eventLoop, memory, uptimeMs, limits }: Health, serverNowMs: number): void {
    this.#section.hidden = false;
    this.#facts.set('up for', duration(uptimeMs));
    this.#facts.set('connections', `${connections.open}`);
    this.#facts.set('subscriptions', `${connections.subscriptions}`);
    this.#facts.set('slow clients', `${connections.slow}`);
    this.#facts.set('unsent', bytes(connections.unsentBytes));
    this.#facts.set('round trip p95', milliseconds(connections.roundTripP95Ms));
    this.#facts.set('mean rate', rateText(connections));
    this.#facts.set('busy', percent(eventLoop.utilization));
    const reached = limits.filter(({ hits }) => hits > 0).map(({ name, hits }) => `${name} ${hits} times`);
    this.#facts.set('limits reached', reached.length === 0 ? 'none' : reached.join(', '));
    const atSeconds = serverNowMs / 1_000;
    this.#delay.add(atSeconds, [eventLoop.delayP50Ms, eventLoop.delayP99Ms]);
    this.#memory.add(atSeconds, [memory.rssBytes, memory.heapUsedBytes]);
  }

  repaint(): void {
    this.#delay.repaint();
    this.#memory.repaint();
  }
}

function rateText({ meanEffectiveHz, meanRequestedHz }: Health['connections']): string {
  return meanRequestedHz === null ? '–' : `${hertz(meanEffectiveHz)} of ${hertz(meanRequestedHz)}`;
}
