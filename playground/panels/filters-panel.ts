import type {
  AgentStreamRequestPatch,
  AgentStreamRequest,
  AgentStreamSnapshot,
  McpServerType,
  PerformanceMode,
} from '@swarmlens/client';
import { fillColor, type Theme } from '../graph/agent-style.js';
import { groupLabels } from '../graph/groups.js';
import { createButton, createElement, findElement } from '../ui/dom.js';
import { MODE_LABELS, SERVER_TYPE_LABELS } from '../ui/format.js';
import { MultiSelect } from '../ui/multi-select.js';
import { OperationPanel } from './operation-panel.js';

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
  readonly onChange: (change: AgentStreamRequestPatch) => void;
  readonly onAsk: () => void;
}

/** Which agents, what of them, and how often. */
export class FiltersPanel {
  readonly #servers: MultiSelect<McpServerType>;
  readonly #types: MultiSelect<string>;
  readonly #swarms: MultiSelect<string>;
  readonly #includes = new Map<Include, HTMLInputElement>();
  readonly #modes = new Map<PerformanceMode, HTMLInputElement>();
  readonly #request: HTMLButtonElement;
  readonly #operation = new OperationPanel();
  readonly #counted = { servers: new Map<McpServerType, number>(), types: new Map<string, number>() };

  constructor({ onChange, onAsk }: FilterEvents) {
    const form = findElement('filters', HTMLFormElement);
    const changed = (): void => {
      this.#request.hidden = this.#mode !== 'ON_DEMAND';
      onChange(this.#change());
    };
    this.#servers = new MultiSelect('Reported by', changed);
    this.#types = new MultiSelect('Types', changed);
    this.#swarms = new MultiSelect('Swarms', changed);
    this.#servers.setOptions(ALL_TYPES.map((value) => ({ value, text: SERVER_TYPE_LABELS[value], count: null })));
    this.#request = createButton('Ask for an update', onAsk);
    this.#request.hidden = true;
    const choices = [this.#modeChoice(), this.#servers.fieldset, this.#types.fieldset, this.#swarms.fieldset];
    for (const choice of [this.#types, this.#swarms]) choice.setOptions([]);
    form.append(...choices, this.#includeChoice(), this.#operation.element);
    form.addEventListener('change', changed);
    form.addEventListener('submit', (submitted) => submitted.preventDefault());
  }

  show({ agents, swarms, request }: AgentStreamSnapshot, theme: Theme): void {
    const { servers, types } = this.#counted;
    for (const type of servers.keys()) servers.set(type, 0);
    for (const type of types.keys()) types.set(type, 0);
    for (const { serverType, type } of agents.values()) {
      servers.set(serverType, (servers.get(serverType) ?? 0) + 1);
      types.set(type, (types.get(type) ?? 0) + 1);
    }
    this.#servers.setOptions(
      ALL_TYPES.map((value) => ({ value, text: SERVER_TYPE_LABELS[value], count: servers.get(value) ?? 0 })),
    );
    this.#types.setOptions(
      [...types].map(([value, count]) => ({ value, text: value, count, colour: fillColor(value, theme) })),
    );
    this.#swarms.setOptions(
      [...swarms.values()].map(({ id, agentCount }) => ({
        value: id,
        text: groupLabels(id, swarms)[0],
        count: agentCount,
      })),
    );
    this.#operation.show(request);
  }

  /** Shown before the first answer. */
  describe(request: AgentStreamRequest): void {
    this.#operation.show(request);
  }

  get #mode(): PerformanceMode {
    return ALL_MODES.find((mode) => this.#modes.get(mode)?.checked === true) ?? 'NORMAL';
  }

  #change(): AgentStreamRequestPatch {
    return {
      serverTypes: this.#servers.selected,
      agentTypes: this.#types.selected,
      swarmIds: this.#swarms.selected,
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
    const segments = createElement('div', 'segments');
    for (const mode of ALL_MODES) {
      const input = createElement('input', '');
      input.type = 'radio';
      input.name = 'mode';
      input.checked = mode === 'NORMAL';
      this.#modes.set(mode, input);
      segments.append(createElement('label', '', input, createElement('span', '', MODE_LABELS[mode])));
    }
    return createElement('fieldset', '', createElement('legend', '', 'Updates, at most'), segments, this.#request);
  }

  #includeChoice(): HTMLFieldSetElement {
    const fieldset = createElement('fieldset', 'includes', createElement('legend', '', 'Include'));
    for (const name of ['includePerformance', 'includeNeural', 'includeTopology'] as const) {
      const box = createElement('input', '');
      box.type = 'checkbox';
      box.checked = true;
      this.#includes.set(name, box);
      fieldset.append(createElement('label', '', box, INCLUDES[name]));
    }
    return fieldset;
  }
}
