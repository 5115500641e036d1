import type {
  AgentsChange,
  AgentsRequest,
  AgentsSnapshot,
  McpServerType,
  PerformanceMode,
} from '../../src/client/index.js';
import { fillOf, type Theme } from '../graph/appearance.js';
import { namesOf } from '../graph/groups.js';
import { button, element, find } from '../dom.js';
import { MODES, SERVER_TYPES } from '../words.js';
import { Choice } from './choice.js';
import { OperationPanel } from './operation.js';

const ALL_TYPES: readonly McpServerType[] = ['CLAUDE_FLOW', 'RUV_SWARM', 'DAA', 'CUSTOM'];
const ALL_MODES: readonly PerformanceMode[] = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'];
const INCLUDES = {
  includePerformance: 'performance',
  includeNeural: 'neural',
  includeTopology: 'topology',
} as const;
type Include = keyof typeof INCLUDES;

interface FilterEvents {
  /** Something else is to be watched. */
  readonly onChange: (change: AgentsChange) => void;
  readonly onAsk: () => void;
}

/** Which agents, what of them, and how often. */
export class FiltersPanel {
  readonly #servers: Choice<McpServerType>;
  readonly #types: Choice<string>;
  readonly #swarms: Choice<string>;
  readonly #includes = new Map<Include, HTMLInputElement>();
  readonly #modes = new Map<PerformanceMode, HTMLInputElement>();
  readonly #ask: HTMLButtonElement;
  readonly #operation = new OperationPanel();
  readonly #counted = { servers: new Map<McpServerType, number>(), types: new Map<string, number>() };

  constructor({ onChange, onAsk }: FilterEvents) {
    const form = find('filters', HTMLFormElement);
    const changed = (): void => {
      this.#ask.hidden = this.#mode !== 'ON_DEMAND';
      onChange(this.#change());
    };
    this.#servers = new Choice('Reported by', changed);
    this.#types = new Choice('Types', changed);
    this.#swarms = new Choice('Swarms', changed);
    this.#servers.offer(ALL_TYPES.map((value) => ({ value, text: SERVER_TYPES[value], count: null })));
    this.#ask = button('Ask for an update', onAsk);
    this.#ask.hidden = true;
    const choices = [this.#modeChoice(), this.#servers.fieldset, this.#types.fieldset, this.#swarms.fieldset];
    for (const choice of [this.#types, this.#swarms]) choice.offer([]);
    form.append(...choices, this.#includeChoice(), this.#operation.element);
    form.addEventListener('change', changed);
    form.addEventListener('submit', (submitted) => submitted.preventDefault());
  }

  show({ agents, swarms, request }: AgentsSnapshot, theme: Theme): void {
    const { servers, types } = this.#counted;
    for (const type of servers.keys()) servers.set(type, 0);
    for (const type of types.keys()) types.set(type, 0);
    for (const { serverType, type } of agents.values()) {
      servers.set(serverType, (servers.get(serverType) ?? 0) + 1);
      types.set(type, (types.get(type) ?? 0) + 1);
    }
    this.#servers.offer(
      ALL_TYPES.map((value) => ({ value, text: SERVER_TYPES[value], count: servers.get(value) ?? 0 })),
    );
    this.#types.offer(
      [...types].map(([value, count]) => ({ value, text: value, count, colour: fillOf(value, theme) })),
    );
    this.#swarms.offer(
      [...swarms.values()].map(({ id, agentCount }) => ({
        value: id,
        text: namesOf(id, swarms)[0],
        count: agentCount,
      })),
    );
    this.#operation.show(request);
  }

  /** Shown before the first answer. */
  describe(request: AgentsRequest): void {
    this.#operation.show(request);
  }

  get #mode(): PerformanceMode {
    return ALL_MODES.find((mode) => this.#modes.get(mode)?.checked === true) ?? 'NORMAL';
  }

  #change(): AgentsChange {
    return {
      serverTypes: this.#servers.chosen,
      agentTypes: this.#types.chosen,
      swarmIds: this.#swarms.chosen,
      mode: this.#mode,
      includePerformance: this.#isIncluded('includePerformance'),
      includeNeural: this.#isIncluded('includeNeural'),
      includeTopology: this.#isIncluded('includeTopology'),
    };
  }

  #isIncluded(name: Include): boolean {
    return this.#includes.get(name)?.checked !== false;
  }

  #modeChoice(): HTMLFieldSetElement {
    const segments = element('div', 'segments');
    for (const mode of ALL_MODES) {
      const input = element('input', '');
      input.type = 'radio';
      input.name = 'mode';
      input.checked = mode === 'NORMAL';
      this.#modes.set(mode, input);
      segments.append(element('label', '', input, element('span', '', MODES[mode])));
    }
    return element('fieldset', '', element('legend', '', 'Updates, at most'), segments, this.#ask);
  }

  #includeChoice(): HTMLFieldSetElement {
    const fieldset = element('fieldset', 'includes', element('legend', '', 'Include'));
    for (const name of ['includePerformance', 'includeNeural', 'includeTopology'] as const) {
      const box = element('input', '');
      box.type = 'checkbox';
      box.checked = true;
      this.#includes.set(name, box);
      fieldset.append(element('label', '', box, INCLUDES[name]));
    }
    return fieldset;
  }
}
