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

const WORK: readonly (readonly [name: string, textOf: (work: NonNullable<Agent['performance']>) => string])[] = [
  ['open tasks', ({ tasksActive }) => formatCount(tasksActive)],
  ['done', ({ tasksCompleted }) => formatCount(tasksCompleted)],
  ['failed', ({ tasksFailed }) => formatCount(tasksFailed)],
  ['success', ({ successRate }) => formatPercent(successRate)],
  ['activity', ({ activityLevel }) => formatPercent(activityLevel)],
  ['health', ({ healthScore }) => formatPercent(healthScore)],
  ['CPU', ({ cpuUsage }) => formatPercent(cpuUsage)],
  ['memory', ({ memoryUsage }) => formatPercent(memoryUsage)],
  ['tokens', ({ tokenUsage }) => formatCount(tokenUsage)],
  ['response', ({ responseTimeMs }) => formatMilliseconds(responseTimeMs)],
];

interface DetailsEvents {
  readonly onClose: () => void;
  readonly onLookAt: (agentId: string) => void;
}

/** All that is known of one agent, and what became of it since the page was opened. */
export class DetailsPanel {
  readonly #section = findElement('details', HTMLElement);
  readonly #name = createElement('h3', '');
  readonly #status = createBadge('', 'neutral');
  readonly #marks = createElement('p', 'badges', this.#status);
  readonly #stale = createBadge('last known values', 'warning');
  readonly #simulated = createBadge('simulated', 'neutral');
  readonly #lookAt: HTMLButtonElement;
  readonly #list = new DefinitionList();
  readonly #work = new DefinitionList();
  readonly #unknown = createElement('p', 'hint');
  readonly #history = createElement('ol', 'history');
  #shown: readonly HistoryEntry[] = [];
  #agentId: string | null = null;

  constructor({ onClose, onLookAt }: DetailsEvents) {
    this.#lookAt = createButton('Show in the graph', () => {
      if (this.#agentId !== null) onLookAt(this.#agentId);
    });
    this.#marks.append(this.#stale, this.#simulated);
    const buttons = createElement('p', 'buttons', this.#lookAt, createButton('Close', onClose));
    this.#section.append(
      this.#name,
      this.#marks,
      buttons,
      this.#list.list,
      createElement('h4', '', 'Work'),
      this.#work.list,
      this.#unknown,
      createElement('h4', '', 'Last changes'),
      this.#history,
    );
  }

  /** @param agent null: it has left the picture, and was the last one that was shown */
  show(agentId: string | null, agent: Agent | null, history: readonly HistoryEntry[]): void {
    this.#section.hidden = agentId === null;
    this.#agentId = agentId;
    if (agentId === null) return;
    this.#lookAt.disabled = agent === null;
    if (agent === null) setBadge(this.#status, 'not in the picture', 'neutral');
    else this.#describe(agent);
    if (history !== this.#shown || history.length === 0) this.#tell(history);
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
    this.#list.set('can', agent.capabilities.length === 0 ? null : agent.capabilities.join(', '));
    this.#list.set('role', topology?.role ?? null);
    this.#list.set(
      'connections',
      topology === null ? null : `${topology.degree}${topology.inferred ? ', inferred' : ''}`,
    );
    this.#list.set('thinks', neural?.cognitivePattern ?? null);
    this.#list.set('made', agent.createdAt === null ? null : formatTimeOfDay(agent.createdAt));
    this.#list.set('last at work', agent.lastActiveAt === null ? null : formatTimeOfDay(agent.lastActiveAt));
    const unknown = WORK.filter(([name, textOf]) => {
      const text = performance === null ? UNKNOWN_TEXT : textOf(performance);
      this.#work.set(name, text === UNKNOWN_TEXT ? null : text);
      return text === UNKNOWN_TEXT;
    });
    setText(this.#unknown, unknown.length === 0 ? '' : `Not reported: ${unknown.map(([name]) => name).join(', ')}.`);
  }

  #tell(history: readonly HistoryEntry[]): void {
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
