import type { Agent } from '../../src/client/index.js';
import { arrange, badge, button, element, Facts, find, setBadge, setText } from '../dom.js';
import type { Change } from '../history.js';
import { AGENT_TONES, clockTime, count, milliseconds, percent, SERVER_TYPES, UNKNOWN, word } from '../words.js';

const WORK: readonly (readonly [name: string, textOf: (work: NonNullable<Agent['performance']>) => string])[] = [
  ['open tasks', ({ tasksActive }) => count(tasksActive)],
  ['done', ({ tasksCompleted }) => count(tasksCompleted)],
  ['failed', ({ tasksFailed }) => count(tasksFailed)],
  ['success', ({ successRate }) => percent(successRate)],
  ['activity', ({ activityLevel }) => percent(activityLevel)],
  ['health', ({ healthScore }) => percent(healthScore)],
  ['CPU', ({ cpuUsage }) => percent(cpuUsage)],
  ['memory', ({ memoryUsage }) => percent(memoryUsage)],
  ['tokens', ({ tokenUsage }) => count(tokenUsage)],
  ['response', ({ responseTimeMs }) => milliseconds(responseTimeMs)],
];

interface DetailsEvents {
  readonly onClose: () => void;
  readonly onLookAt: (agentId: string) => void;
}

/** All that is known of one agent, and what became of it since the page was opened. */
export class DetailsPanel {
  readonly #section = find('details', HTMLElement);
  readonly #name = element('h3', '');
  readonly #status = badge('', 'neutral');
  readonly #marks = element('p', 'badges', this.#status);
  readonly #stale = badge('last known values', 'warning');
  readonly #simulated = badge('simulated', 'neutral');
  readonly #lookAt: HTMLButtonElement;
  readonly #facts = new Facts();
  readonly #work = new Facts();
  readonly #unknown = element('p', 'hint');
  readonly #history = element('ol', 'history');
  #shown: readonly Change[] = [];
  #agentId: string | null = null;

  constructor({ onClose, onLookAt }: DetailsEvents) {
    this.#lookAt = button('Show in the graph', () => {
      if (this.#agentId !== null) onLookAt(this.#agentId);
    });
    this.#marks.append(this.#stale, this.#simulated);
    const buttons = element('p', 'buttons', this.#lookAt, button('Close', onClose));
    this.#section.append(
      this.#name,
      this.#marks,
      buttons,
      this.#facts.list,
      element('h4', '', 'Work'),
      this.#work.list,
      this.#unknown,
      element('h4', '', 'Last changes'),
      this.#history,
    );
  }

  /** @param agent null: it has left the picture, and was the last one that was shown */
  show(agentId: string | null, agent: Agent | null, history: readonly Change[]): void {
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
    setBadge(this.#status, word(agent.status), AGENT_TONES[agent.status]);
    this.#stale.hidden = !agent.stale;
    this.#simulated.hidden = !agent.simulated;
    const { performance, neural, topology } = agent;
    this.#facts.set('type', agent.type);
    this.#facts.set('server', `${agent.serverId} (${SERVER_TYPES[agent.serverType]})`);
    this.#facts.set('swarm', agent.swarmId?.slice(agent.serverId.length + 1) ?? UNKNOWN);
    this.#facts.set('id', agent.nativeId);
    this.#facts.set('can', agent.capabilities.length === 0 ? null : agent.capabilities.join(', '));
    this.#facts.set('role', topology?.role ?? null);
    this.#facts.set(
      'connections',
      topology === null ? null : `${topology.degree}${topology.inferred ? ', inferred' : ''}`,
    );
    this.#facts.set('thinks', neural?.cognitivePattern ?? null);
    this.#facts.set('made', agent.createdAt === null ? null : clockTime(agent.createdAt));
    this.#facts.set('last at work', agent.lastActiveAt === null ? null : clockTime(agent.lastActiveAt));
    const unknown = WORK.filter(([name, textOf]) => {
      const text = performance === null ? UNKNOWN : textOf(performance);
      this.#work.set(name, text === UNKNOWN ? null : text);
      return text === UNKNOWN;
    });
    setText(this.#unknown, unknown.length === 0 ? '' : `Not reported: ${unknown.map(([name]) => name).join(', ')}.`);
  }

  #tell(history: readonly Change[]): void {
    this.#shown = history;
    const rows = history.map(({ atMs, text }) =>
      element('li', '', element('time', '', clockTime(atMs)), element('span', '', text)),
    );
    arrange(this.#history, rows.length > 0 ? rows : [element('li', 'hint', 'None since this page was opened.')]);
  }
}
