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

const ALL_TYPES: readonly McpServerType[] = ['CLAUDE_FLOW', 'RUV_SWARM', 'DAA', 'CLAUDE_CODE', 'CODEX', 'CUSTOM'];
const ALL_MODES: readonly PerformanceMode[] = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'];
const INCLUDES = {
  includePerformance: 'performance',
  includeNeural: 'neural',
  includeTopology: 'topology',
} as const;
type Include = keyof typeof INCLUDES;

interface FilterEvents {
  /** Called with the changed part of the request. */
  readonly onChange: (patch: AgentStreamRequestPatch) => void;
  readonly onRequestUpdate: () => void;
}

/** Filters, included parts and update rate. */
export class FiltersPanel {
  readonly #servers: MultiSelect<McpServerType>;
  readonly #types: MultiSelect<string>;
  readonly #swarms: MultiSelect<string>;
  readonly #includes = new Map<Include, HTMLInputElement>();
  readonly #modes = new Map<PerformanceMode, HTMLInputElement>();
  readonly #requestButton: HTMLButtonElement;
  readonly #operation = new OperationPanel();
  readonly #counts = { servers: new Map<McpServerType, number>(), types: new Map<string, number>() };

  constructor({ onChange, onRequestUpdate }: FilterEvents) {
    const form = findElement('filters', HTMLFormElement);
    const handleChange = (): void => {
      this.#requestButton.hidden = this.#mode !== 'ON_DEMAND';
      onChange(this.#readRequest());
    };
    this.#servers = new MultiSelect('Servers', handleChange);
    this.#types = new MultiSelect('Types', handleChange);
    this.#swarms = new MultiSelect('Swarms', handleChange);
    this.#servers.setOptions(ALL_TYPES.map((value) => ({ value, text: SERVER_TYPE_LABELS[value], count: null })));
    this.#requestButton = createButton('Request an update', onRequestUpdate);
    this.#requestButton.hidden = true;
    const fieldsets = [this.#createModeFieldset(), this.#servers.fieldset, this.#types.fieldset, this.#swarms.fieldset];
    for (const select of [this.#types, this.#swarms]) select.setOptions([]);
    form.append(...fieldsets, this.#createIncludeFieldset(), this.#operation.element);
    form.addEventListener('change', handleChange);
    form.addEventListener('submit', (event) => event.preventDefault());
  }

  show({ agents, swarms, request }: AgentStreamSnapshot, theme: Theme): void {
    const { servers, types } = this.#counts;
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
      [...types].map(([value, count]) => ({ value, text: value, count, color: fillColor(value, theme) })),
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

  /** Shows a request before the first response. */
  showRequest(request: AgentStreamRequest): void {
    this.#operation.show(request);
  }

  get #mode(): PerformanceMode {
    return ALL_MODES.find((mode) => this.#modes.get(mode)?.checked === true) ?? 'NORMAL';
  }

  #readRequest(): AgentStreamRequestPatch {
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

  #createModeFieldset(): HTMLFieldSetElement {
    const segments = createElement('div', 'segments');
    for (const mode of ALL_MODES) {
      const input = createElement('input', '');
      input.type = 'radio';
      input.name = 'mode';
      input.checked = mode === 'NORMAL';
      this.#modes.set(mode, input);
      segments.append(createElement('label', '', input, createElement('span', '', MODE_LABELS[mode])));
    }
    return createElement(
      'fieldset',
      '',
      createElement('legend', '', 'Maximum update rate'),
      segments,
      this.#requestButton,
    );
  }

  #createIncludeFieldset(): HTMLFieldSetElement {
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
