import type { HealthStreamSnapshot } from '@swarmlens/client';
import { reorderChildren, findElement, setBadge, setText } from '../ui/dom.js';
import { formatTimeOfDay, HEALTH_TONES, formatError, formatEnumValue } from '../ui/format.js';
import { NodeCard } from './node-card.js';
import { ServerCard } from './server-card.js';

const COUNT_EVERY_MS = 200;

/** Servers, the node, and what of them is simulated. */
export class HealthPanel {
  readonly #list = findElement('servers', HTMLUListElement);
  readonly #note = findElement('health-note', HTMLParagraphElement);
  readonly #status = findElement('health-status', HTMLParagraphElement);
  readonly #simulated = findElement('simulated', HTMLParagraphElement);
  readonly #refreshed = findElement('refreshed', HTMLParagraphElement);
  readonly #cards = new Map<string, ServerCard>();
  readonly #node = new NodeCard();
  /** How far the server's clock is ahead of this one. */
  #aheadMs = 0;

  /** @param refresh asks the server to look for servers anew */
  constructor(refresh: () => Promise<{ readonly servers: number; readonly agents: number }>) {
    const button = findElement('refresh', HTMLButtonElement);
    button.addEventListener('click', () => {
      button.disabled = true;
      setText(this.#refreshed, 'Looking …');
      refresh()
        .then(({ servers, agents }) => `${formatTimeOfDay(Date.now())}: ${servers} servers, ${agents} agents.`)
        .catch(formatError)
        .then((text) => {
          setText(this.#refreshed, text);
          button.disabled = false;
        })
        .catch(() => undefined); // nothing above can fail
    });
    // What counts down does so between the looks at the server.
    setInterval(() => {
      for (const card of this.#cards.values()) card.count(Date.now() + this.#aheadMs);
    }, COUNT_EVERY_MS);
  }

  show({ health, error }: HealthStreamSnapshot): void {
    this.#note.hidden = health !== null && health.servers.length > 0 && error === null;
    setText(this.#note, noteOf(health?.servers.length ?? null, error));
    if (health === null) return;
    const nowMs = Date.parse(health.timestamp);
    this.#aheadMs = nowMs - Date.now();
    setBadge(this.#status, formatEnumValue(health.status), HEALTH_TONES[health.status]);
    const ids = new Set(health.servers.map(({ id }) => id));
    for (const id of this.#cards.keys()) if (!ids.has(id)) this.#cards.delete(id);
    const cards = health.servers.map((server) => {
      const card = this.#cards.get(server.id) ?? new ServerCard(server.id);
      this.#cards.set(server.id, card);
      card.show(server, nowMs);
      return card.element;
    });
    reorderChildren(this.#list, cards);
    this.#node.show(health, nowMs);
    const simulated = health.servers.filter((server) => server.simulated).length;
    this.#simulated.hidden = simulated === 0;
    setText(this.#simulated, simulationText(simulated, health.servers.length));
  }

  repaint(): void {
    for (const card of this.#cards.values()) card.repaint();
    this.#node.repaint();
  }
}

function noteOf(servers: number | null, error: unknown): string {
  if (error !== null) return `Not shown: ${formatError(error)}`;
  if (servers === null) return 'Waiting for the server.';
  return 'No server is configured. Start with --config FILE or --demo, or let a tap join.';
}

function simulationText(simulated: number, all: number): string {
  const which =
    simulated === all ? 'All servers are' : `${simulated} of ${all} servers ${simulated === 1 ? 'is a' : 'are'}`;
  return `Simulated data. ${which} simulator${simulated === 1 && all > 1 ? '' : 's'}: their agents are not real.`;
}
