import type { McpServerType, PerformanceMode } from '../../src/client/index.js';
import type { Filters } from '../agent-stream.js';
import { element, find } from '../dom.js';
import { MODES, SERVER_TYPES } from '../words.js';

const ALL_TYPES: readonly McpServerType[] = ['CLAUDE_FLOW', 'RUV_SWARM', 'DAA', 'CUSTOM'];
const ALL_MODES: readonly PerformanceMode[] = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'];

interface FilterEvents {
  readonly onChange: (filters: Filters) => void;
  readonly onAsk: () => void;
}

/** Which agents, and how often. */
export class FiltersPanel {
  readonly #types = new Map<McpServerType, HTMLInputElement>();
  readonly #mode = element('select', '');
  readonly #ask = element('button', '', 'Ask for an update');

  constructor({ onChange, onAsk }: FilterEvents) {
    const form = find('filters', HTMLFormElement);
    const types = element('fieldset', '', element('legend', '', 'Reported by'));
    for (const type of ALL_TYPES) types.append(this.#checkbox(type));
    for (const mode of ALL_MODES) this.#mode.append(new Option(MODES[mode], mode));
    this.#mode.value = 'NORMAL';
    this.#ask.type = 'button';
    this.#ask.addEventListener('click', onAsk);
    form.append(types, element('label', '', 'At most ', this.#mode), this.#ask);
    form.addEventListener('change', () => {
      this.#showAsk();
      onChange(this.filters);
    });
    form.addEventListener('submit', (submitted) => submitted.preventDefault());
    this.#showAsk();
  }

  get filters(): Filters {
    const chosen = ALL_TYPES.filter((type) => this.#types.get(type)?.checked === true);
    return {
      serverTypes: chosen.length === ALL_TYPES.length ? null : chosen,
      mode: ALL_MODES.find((mode) => mode === this.#mode.value) ?? 'NORMAL',
    };
  }

  #showAsk(): void {
    this.#ask.hidden = this.filters.mode !== 'ON_DEMAND';
  }

  #checkbox(type: McpServerType): HTMLLabelElement {
    const box = element('input', '');
    box.type = 'checkbox';
    box.checked = true;
    this.#types.set(type, box);
    return element('label', '', box, SERVER_TYPES[type]);
  }
}
