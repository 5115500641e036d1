import type { Health } from '@swarmlens/client';
import { createElement, DefinitionList, findElement } from '../ui/dom.js';
import { formatBytes, formatDuration, formatHertz, formatMilliseconds, formatPercent } from '../ui/format.js';
import { TimeChart } from './time-chart.js';

/** Health of the connected node. */
export class NodeCard {
  readonly #section = findElement('node', HTMLElement);
  readonly #list = new DefinitionList();
  readonly #delay = new TimeChart({
    title: 'event loop delay',
    format: formatMilliseconds,
    lines: [
      { name: 'p50', color: '--line-a', isFilled: true },
      { name: 'p99', color: '--line-b' },
    ],
  });
  readonly #memory = new TimeChart({
    title: 'memory',
    format: (value) => (value === null ? '–' : formatBytes(value)),
    lines: [
      { name: 'process', color: '--line-a', isFilled: true },
      { name: 'heap', color: '--line-b' },
    ],
  });

  constructor() {
    this.#section.append(this.#list.list, createElement('div', 'charts', this.#delay.element, this.#memory.element));
  }

  show({ connections, eventLoop, memory, uptimeMs, limits }: Health, serverNowMs: number): void {
    this.#section.hidden = false;
    this.#list.set('uptime', formatDuration(uptimeMs));
    this.#list.set('connections', `${connections.open}`);
    this.#list.set('subscriptions', `${connections.subscriptions}`);
    this.#list.set('slow clients', `${connections.slow}`);
    this.#list.set('unsent data', formatBytes(connections.unsentBytes));
    this.#list.set('round trip p95', formatMilliseconds(connections.roundTripP95Ms));
    this.#list.set('mean rate', formatRate(connections));
    this.#list.set('event loop utilization', formatPercent(eventLoop.utilization));
    const reached = limits.filter(({ hits }) => hits > 0).map(({ name, hits }) => `${name} (${hits})`);
    this.#list.set('limits reached', reached.length === 0 ? 'none' : reached.join(', '));
    const atSeconds = serverNowMs / 1_000;
    this.#delay.add(atSeconds, [eventLoop.delayP50Ms, eventLoop.delayP99Ms]);
    this.#memory.add(atSeconds, [memory.rssBytes, memory.heapUsedBytes]);
  }

  repaint(): void {
    this.#delay.repaint();
    this.#memory.repaint();
  }
}

function formatRate({ meanEffectiveHz, meanRequestedHz }: Health['connections']): string {
  return meanRequestedHz === null ? '–' : `${formatHertz(meanEffectiveHz)} of ${formatHertz(meanRequestedHz)}`;
}
