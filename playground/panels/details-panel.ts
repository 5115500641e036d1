import type { Agent } from '@swarmlens/client';
import {
  reorderChildren,
  createBadge,
  createButton,
  createElement,
  DefinitionList,
  findElement,
  setBadge,
  setText,
} from '../ui/dom.js';
import type { HistoryEntry } from './agent-history.js';
import {
  AGENT_TONES,
  formatTimeOfDay,
  formatCount,
  formatMilliseconds,
  formatPercent,
  SERVER_TYPE_LABELS,
  UNKNOWN_TEXT,
  formatEnumValue,
} from '../ui/format.js';

type PerformanceField = keyof NonNullable<Agent['performance']>;

/** Labels and formats of performance fields, in the order of the panel. Other fields show their name and number. */
const PERFORMANCE_ROWS: Readonly<
  Partial<Record<PerformanceField, readonly [string, (value: number | null) => string]>>
> = {
  tasksActive: ['open tasks', formatCount],
  tasksCompleted: ['completed', formatCount],
  tasksFailed: ['failed', formatCount],
  successRate: ['success rate', formatPercent],
  activityLevel: ['activity', formatPercent],
  healthScore: ['health', formatPercent],
  cpuUsage: ['CPU', formatPercent],
  memoryUsage: ['memory', formatPercent],
  tokenUsage: ['tokens', formatCount],
  tokenRate: ['tokens per second', formatCount],
  responseTimeMs: ['response time', formatMilliseconds],
  throughput: ['tasks per second', formatCount],
};

interface DetailsEvents {
  readonly onClose: () => void;
  readonly onLookAt: (agentId: string) => void;
}

/** Details of the selected agent, and its changes since the page was opened. */
export class DetailsPanel {
  readonly #section = findElement('details', HTMLElement);
  readonly #name = createElement('h3', '');
  readonly #status = createBadge('', 'neutral');
  readonly #badges = createElement('p', 'badges', this.#status);
  readonly #stale = createBadge('stale', 'warning');
  readonly #simulated = createBadge('simulated', 'neutral');
  readonly #lookAt: HTMLButtonElement;
  readonly #list = new DefinitionList();
  readonly #performance = new DefinitionList();
  readonly #unknown = createElement('p', 'hint');
  readonly #history = createElement('ol', 'history');
  #shown: readonly HistoryEntry[] = [];
  #agentId: string | null = null;

  constructor({ onClose, onLookAt }: DetailsEvents) {
    this.#lookAt = createButton('Show in the graph', () => {
      if (this.#agentId !== null) onLookAt(this.#agentId);
    });
    this.#badges.append(this.#stale, this.#simulated);
    const buttons = createElement('p', 'buttons', this.#lookAt, createButton('Close', onClose));
    this.#section.append(
      this.#name,
      this.#badges,
      buttons,
      this.#list.list,
      createElement('h4', '', 'Performance'),
      this.#performance.list,
      this.#unknown,
      createElement('h4', '', 'Last changes'),
      this.#history,
    );
  }

  /** @param agent null if the selected agent has disappeared; the panel then keeps its last values */
  show(agentId: string | null, agent: Agent | null, history: readonly HistoryEntry[]): void {
    this.#section.hidden = agentId === null;
    this.#agentId = agentId;
    if (agentId === null) return;
    this.#lookAt.disabled = agent === null;
    if (agent === null) setBadge(this.#status, 'disappeared', 'neutral');
    else this.#describe(agent);
    if (history !== this.#shown || history.length === 0) this.#showHistory(history);
  }

  #describe(agent: Agent): void {
    setText(this.#name, agent.name);
    setBadge(this.#status, formatEnumValue(agent.status), AGENT_TONES[agent.status]);
    this.#stale.hidden = !agent.stale;
    this.#simulated.hidden = !agent.simulated;
    const { performance, neural, topology } = agent;
    this.#list.set('type', agent.type);
    this.#list.set('server', `${agent.serverId} (${SERVER_TYPE_LABELS[agent.serverType]})`);
    this.#list.set('swarm', agent.swarmId?.slice(agent.serverId.length + 1) ?? UNKNOWN_TEXT);
    this.#list.set('id', agent.nativeId);
    this.#list.set('capabilities', agent.capabilities.length === 0 ? null : agent.capabilities.join(', '));
    this.#list.set('role', topology?.role ?? null);
    this.#list.set(
      'connections',
      topology === null ? null : `${topology.degree}${topology.inferred ? ', inferred' : ''}`,
    );
    this.#list.set('cognitive pattern', neural?.cognitivePattern ?? null);
    this.#list.set('created', agent.createdAt === null ? null : formatTimeOfDay(agent.createdAt));
    this.#list.set('last active', agent.lastActiveAt === null ? null : formatTimeOfDay(agent.lastActiveAt));
    const values: Readonly<Record<string, number | null>> = performance ?? {};
    const rows: Readonly<Record<string, readonly [string, (value: number | null) => string]>> = PERFORMANCE_ROWS;
    const names = new Set([...Object.keys(rows), ...Object.keys(values)]);
    const unknown = [...names].flatMap((name) => {
      const [label, format] = rows[name] ?? [name, formatCount];
      const value = values[name] ?? null;
      this.#performance.set(label, value === null ? null : format(value));
      return value === null ? [label] : [];
    });
    setText(this.#unknown, unknown.length === 0 ? '' : `Not reported: ${unknown.join(', ')}.`);
  }

  #showHistory(history: readonly HistoryEntry[]): void {
    this.#shown = history;
    const rows = history.map(({ atMs, text }) =>
      createElement('li', '', createElement('time', '', formatTimeOfDay(atMs)), createElement('span', '', text)),
    );
    reorderChildren(
      this.#history,
      rows.length > 0 ? rows : [createElement('li', 'hint', 'None since this page was opened.')],
    );
  }
}
