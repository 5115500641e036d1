import type { Agent } from '../../src/client/index.js';
import { arrange, badge, button, element, Facts, find, setBadge, setText } from '../dom.js';
import type { Change } from '../history.js';
import { AGENT_TONES, clockTime, count, milliseconds, percent, SERVER_TYPES, UNKNOWN, word } from '../words.js';

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
  readonly #facts = new Facts();
  readonly #work = new Facts();
  readonly #history = element('ol', 'history');
  #shown: readonly Change[] = [];
  #agentId: string | null = null;

  constructor({ onClose, onLookAt }: DetailsEvents) {
    this.#marks.append(this.#stale, this.#simulated);
    const buttons = element(
      'p',
      'buttons',
      button('Show in the graph', () => {
        if (this.#agentId !== null) onLookAt(this.#agentId);
      }),
      button('Close', onClose),
    );
    this.#section.append(
      this.#name,
      this.#marks,
      buttons,
      this.#facts.list,
      element('h4', '', 'Work'),
      this.#work.list,
      element('h4', '', 'Last changes'),
      this.#history,
    );
  }

  /** @param agent null: it has left the picture, and was the last one that was shown */
  show(agentId: string | null, agent: Agent | null, history: readonly Change[]): void {
    this.#section.hidden = agentId === null;
    this.#agentId = agentId;
    if (agentId === null) return;
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
    this.#work.set('open tasks', count(performance?.tasksActive));
    this.#work.set('done', count(performance?.tasksCompleted));
    this.#work.set('failed', count(performance?.tasksFailed));
    this.#work.set('success', percent(performance?.successRate ?? null));
    this.#work.set('activity', percent(performance?.activityLevel ?? null));
    this.#work.set('health', percent(performance?.healthScore ?? null));
    this.#work.set('CPU', percent(performance?.cpuUsage ?? null));
    this.#work.set('memory', percent(performance?.memoryUsage ?? null));
    this.#work.set('tokens', count(performance?.tokenUsage));
    this.#work.set('response', milliseconds(performance?.responseTimeMs ?? null));
  }

  #tell(history: readonly Change[]): void {
    this.#shown = history;
    const rows = history.map(({ atMs, text }) =>
      element('li', '', element('time', '', clockTime(atMs)), element('span', '', text)),
    );
    arrange(this.#history, rows.length > 0 ? rows : [element('li', 'hint', 'None since this page was opened.')]);
  }
}
