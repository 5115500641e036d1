import type { Health } from '@swarmlens/client';
import { createBadge, createElement, DefinitionList, setBadge, setText } from '../ui/dom.js';
import {
  formatDuration,
  formatHertz,
  formatMilliseconds,
  formatPercent,
  SERVER_TONES,
  SERVER_TYPE_LABELS,
  UNKNOWN_TEXT,
  formatEnumValue,
} from '../ui/format.js';
import { BreakerBadge } from './breaker-badge.js';
import { ReplicaTable } from './replica-table.js';
import { TimeChart } from './time-chart.js';
import { ToolTable } from './tool-table.js';

export type ServerCardData = Health['servers'][number];

/** Card of one server: status, latency, polling and tools. Updated in place, so that charts continue. */
export class ServerCard {
  readonly element = createElement('li', 'card server');
  readonly #line = createElement('p', 'hint');
  readonly #status = createBadge('', 'neutral');
  readonly #stale = createBadge('', 'warning');
  readonly #simulated = createBadge('simulated', 'neutral');
  readonly #breaker = new BreakerBadge();
  readonly #list = new DefinitionList();
  readonly #error = createElement('p', 'error');
  readonly #latency = new TimeChart({
    title: 'latency',
    format: formatMilliseconds,
    lines: [
      { name: 'p50', color: '--line-a', isFilled: true },
      { name: 'p95', color: '--line-b' },
      { name: 'p99', color: '--line-c' },
    ],
  });
  readonly #polls = new TimeChart({
    title: 'polls',
    format: formatHertz,
    lines: [
      { name: 'actual', color: '--line-a', isFilled: true },
      { name: 'required', color: '--line-b' },
    ],
  });
  readonly #replicas = new ReplicaTable();
  readonly #tools = new ToolTable();

  constructor(id: string) {
    this.element.append(
      createElement('h3', '', id),
      this.#line,
      createElement('p', 'badges', this.#status, this.#breaker.element, this.#stale, this.#simulated),
      this.#error,
      this.#list.list,
      createElement('div', 'charts', this.#latency.element, this.#polls.element),
      this.#replicas.element,
      this.#tools.element,
    );
  }

  show(server: ServerCardData, serverNowMs: number): void {
    const name = server.version === null ? server.name : `${server.name} ${server.version}`;
    setText(this.#line, [SERVER_TYPE_LABELS[server.type], formatEnumValue(server.transport), name].join(' · '));
    setBadge(this.#status, formatEnumValue(server.status), SERVER_TONES[server.status]);
    this.#breaker.show(server.circuitBreaker, serverNowMs);
    this.#stale.hidden = !server.stale;
    setText(this.#stale, formatStale(server.staleSince, serverNowMs));
    this.#simulated.hidden = !server.simulated;
    this.#error.hidden = server.lastError === null;
    setText(this.#error, server.lastError ?? '');
    this.element.classList.toggle('stale', server.stale);
    const { latency, polling } = server;
    this.#list.set('agents', `${server.agentCount}`);
    this.#list.set(
      'connected for',
      server.connectedAt === null ? UNKNOWN_TEXT : formatAge(server.connectedAt, serverNowMs),
    );
    this.#list.set(
      'last response',
      server.lastSeenAt === null ? UNKNOWN_TEXT : `${formatAge(server.lastSeenAt, serverNowMs)} ago`,
    );
    this.#list.set('time spent polling', polling === null ? null : formatPercent(polling.timeShare));
    const atSeconds = serverNowMs / 1_000;
    this.#latency.add(atSeconds, [latency.p50Ms, latency.p95Ms, latency.p99Ms]);
    this.#polls.add(atSeconds, [polling?.effectiveHz ?? null, polling?.wantedHz ?? null]);
    this.#replicas.show(server.replicas, serverNowMs);
    this.#tools.show(server.tools, server.toolHealth);
  }

  updateCountdown(serverNowMs: number): void {
    this.#breaker.updateCountdown(serverNowMs);
    this.#replicas.updateCountdown(serverNowMs);
  }

  repaint(): void {
    this.#latency.repaint();
    this.#polls.repaint();
  }
}

function formatStale(staleSince: string | null, serverNowMs: number): string {
  return staleSince === null ? 'stale' : `stale for ${formatAge(staleSince, serverNowMs)}`;
}

function formatAge(at: string, serverNowMs: number): string {
  return formatDuration(Math.max(0, serverNowMs - Date.parse(at)));
}
