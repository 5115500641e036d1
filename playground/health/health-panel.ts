import type { HealthStreamSnapshot } from '@swarmlens/client';
import { reorderChildren, findElement, setBadge, setText } from '../ui/dom.js';
import { formatTimeOfDay, HEALTH_TONES, formatError, formatEnumValue } from '../ui/format.js';
import { NodeCard } from './node-card.js';
import { ServerCard } from './server-card.js';

const COUNTDOWN_INTERVAL_MS = 200;

/** Health of the servers and the connected node, and a note about simulated servers. */
export class HealthPanel {
  readonly #list = findElement('servers', HTMLUListElement);
  readonly #note = findElement('health-note', HTMLParagraphElement);
  readonly #status = findElement('health-status', HTMLParagraphElement);
  readonly #simulated = findElement('simulated', HTMLParagraphElement);
  readonly #refreshed = findElement('refreshed', HTMLParagraphElement);
  readonly #cards = new Map<string, ServerCard>();
  readonly #node = new NodeCard();
  /** Difference between the server's clock and this one, in milliseconds. */
  #clockOffsetMs = 0;

  /** @param refresh runs the discovery on the server */
  constructor(refresh: () => Promise<{ readonly servers: number; readonly agents: number }>) {
    const button = findElement('refresh', HTMLButtonElement);
    button.addEventListener('click', () => {
      button.disabled = true;
      setText(this.#refreshed, 'Refreshing …');
      refresh()
        .then(({ servers, agents }) => `${formatTimeOfDay(Date.now())}: ${servers} servers, ${agents} agents.`)
        .catch(formatError)
        .then((text) => {
          setText(this.#refreshed, text);
          button.disabled = false;
        })
        .catch(() => undefined); // the handlers above do not throw
    });
    // Countdowns continue between two polls.
    setInterval(() => {
      for (const card of this.#cards.values()) card.updateCountdown(Date.now() + this.#clockOffsetMs);
    }, COUNTDOWN_INTERVAL_MS);
  }

  show({ health, error }: HealthStreamSnapshot): void {
    this.#note.hidden = health !== null && health.servers.length > 0 && error === null;
    setText(this.#note, formatNote(health?.servers.length ?? null, error));
    if (health === null) return;
    const nowMs = Date.parse(health.timestamp);
    this.#clockOffsetMs = nowMs - Date.now();
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
    setText(this.#simulated, formatSimulatedNote(simulated, health.servers.length));
  }

  repaint(): void {
    for (const card of this.#cards.values()) card.repaint();
    this.#node.repaint();
  }
}

function formatNote(servers: number | null, error: unknown): string {
  if (error !== null) return `Health data is unavailable: ${formatError(error)}`;
  if (servers === null) return 'Waiting for the server.';
  return 'No servers. Start swarmlens with --config FILE or --demo, or connect a tap.';
}

function formatSimulatedNote(simulated: number, all: number): string {
  const which =
    simulated === all ? 'All servers are' : `${simulated} of ${all} servers ${simulated === 1 ? 'is a' : 'are'}`;
  return `Simulated data. ${which} simulator${simulated === 1 && all > 1 ? '' : 's'}: their agents are not real.`;
}
