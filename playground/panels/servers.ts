import type { McpServerFragment } from '../../src/client/index.js';
import { badge, element, find, setText } from '../dom.js';
import { CIRCUIT_TONES, milliseconds, SERVER_TONES, SERVER_TYPES, word } from '../words.js';

/** A card for each server that swarmlens watches. */
export class ServersPanel {
  readonly #list = find('servers', HTMLUListElement);
  readonly #empty = find('no-servers', HTMLParagraphElement);
  readonly #simulated = find('simulated', HTMLParagraphElement);
  #shown = '';

  show(servers: readonly McpServerFragment[]): void {
    const cards = servers.map(card);
    // A card that says what it said is left alone.
    const shown = cards.map(({ textContent }) => textContent).join('\n');
    if (shown !== this.#shown) this.#list.replaceChildren(...cards);
    this.#shown = shown;
    this.#empty.hidden = servers.length > 0;
    setText(this.#empty, 'No server is configured.');
    const simulated = servers.filter((server) => server.simulated).length;
    this.#simulated.hidden = simulated === 0;
    setText(this.#simulated, simulationText(simulated, servers.length));
  }
}

function simulationText(simulated: number, all: number): string {
  const which =
    simulated === all ? 'All servers are' : `${simulated} of ${all} servers ${simulated === 1 ? 'is a' : 'are'}`;
  return `Simulated data. ${which} simulator${simulated === 1 && all > 1 ? '' : 's'}: their agents are not real.`;
}

function card(server: McpServerFragment): HTMLLIElement {
  const { circuitBreaker, latency } = server;
  const badges = element('p', 'badges', badge(word(server.status), SERVER_TONES[server.status]));
  if (server.stale) badges.append(badge('stale', 'warning'));
  if (server.simulated) badges.append(badge('simulated', 'neutral'));
  const facts = element('dl', '');
  const fact = (name: string, value: string | Node): void =>
    facts.append(element('div', '', element('dt', '', name), element('dd', '', value)));
  fact('agents', `${server.agentCount}`);
  fact('latency p50', milliseconds(latency.p50Ms));
  fact('breaker', badge(word(circuitBreaker.state), CIRCUIT_TONES[circuitBreaker.state]));
  const made = element(
    'li',
    'card',
    element('h3', '', server.id),
    element('p', 'hint', [SERVER_TYPES[server.type], word(server.transport), versionOf(server)].join(' · ')),
    badges,
    facts,
  );
  if (server.lastError !== null) made.append(element('p', 'error', server.lastError));
  return made;
}

function versionOf({ name, version }: McpServerFragment): string {
  return version === null ? name : `${name} ${version}`;
}
