import type { AgentStreamSnapshot } from '@swarmlens/client';
import { DefinitionList, findElement } from '../ui/dom.js';
import { formatHertz } from '../ui/format.js';

/** Total numbers of agents and swarms, and the update rate of the stream. */
export class TotalsPanel {
  readonly #list = new DefinitionList(findElement('figures', HTMLDListElement));

  show({ agents, swarms, rate }: AgentStreamSnapshot): void {
    let [busy, failed, stale] = [0, 0, 0];
    for (const agent of agents.values()) {
      if (agent.status === 'ACTIVE' || agent.status === 'BUSY') busy += 1;
      if (agent.status === 'ERROR') failed += 1;
      if (agent.stale) stale += 1;
    }
    this.#list.set('agents', `${agents.size}`);
    this.#list.set('swarms', `${swarms.size}`);
    this.#list.set('busy', `${busy}`);
    this.#list.set('failed', `${failed}`);
    this.#list.set('stale', `${stale}`);
    if (rate !== null)
      this.#list.set(
        'updates',
        rate.requestedHz === 0 ? 'on demand' : `${formatHertz(rate.effectiveHz)} of ${formatHertz(rate.requestedHz)}`,
      );
  }
}
