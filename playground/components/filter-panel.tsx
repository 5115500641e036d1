import type { JSX } from 'preact';
import { fillColor } from '../graph/agent-style.js';
import { MODES, type Part, PARTS, SERVER_TYPES, toggle } from '../model/view-state.js';
import { MODE_LABELS, SERVER_TYPE_LABELS } from '../ui/format.js';
import { Dot } from './basics.js';
import { OperationPanel } from './operation-panel.js';
import { usePage } from './page-context.js';

interface Option<T extends string> {
  readonly value: T;
  readonly text: string;
  /** Number of all agents of the option, whatever the filters. */
  readonly count: number;
  readonly color?: string;
}

/** Maximum number of options per filter, limited by the browser's layout time. */
const MAX_OPTIONS = 60;

/** Filters by server, type and swarm, and settings of the stream. */
export function FilterPanel(): JSX.Element {
  const page = usePage();
  const { view } = page;
  const { serverTypes, agentTypes, swarmIds } = view;
  const set = serverTypes.length + agentTypes.length + swarmIds.length;
  return (
    <details class="filters">
      <summary>Filters and stream{set === 0 ? '' : ` (${set} set)`}</summary>
      <form
        id="filters"
        aria-label="Filters"
        onSubmit={(event) => {
          event.preventDefault();
        }}
      >
        <ServerFilter />
        <TypeFilter />
        <SwarmFilter />
        <StreamSettings />
        <OperationPanel />
      </form>
    </details>
  );
}

function ServerFilter(): JSX.Element {
  const page = usePage();
  const { byServerType } = page.counts.value;
  const options = SERVER_TYPES.map((value) => ({
    value,
    text: SERVER_TYPE_LABELS[value],
    count: byServerType.get(value) ?? 0,
  }));
  return (
    <MultiSelect
      name="Servers"
      options={options}
      selected={page.view.serverTypes}
      onChange={(serverTypes) => page.change({ serverTypes })}
    />
  );
}

function TypeFilter(): JSX.Element {
  const page = usePage();
  const { byType } = page.counts.value;
  const theme = page.theme.value;
  const options = withSelected(byType, page.view.agentTypes).map(([value, count]) => ({
    ...{ value, text: value, count },
    color: fillColor(value, theme),
  }));
  return (
    <MultiSelect
      name="Types"
      options={options}
      selected={page.view.agentTypes}
      onChange={(agentTypes) => page.change({ agentTypes })}
    />
  );
}

function SwarmFilter(): JSX.Element {
  const page = usePage();
  const { bySwarm } = page.counts.value;
  const options = withSelected(bySwarm, page.view.swarmIds).map(([value, count]) => ({
    ...{ value, count },
    text: page.labelOfGroup(value),
  }));
  return (
    <MultiSelect
      name="Swarms"
      options={options}
      selected={page.view.swarmIds}
      onChange={(swarmIds) => page.change({ swarmIds })}
    />
  );
}

/** Returns the counts in natural order, with selected values that no agent has at the moment. */
function withSelected(
  counts: ReadonlyMap<string, number>,
  selected: readonly string[],
): readonly (readonly [string, number])[] {
  const all = new Map<string, number>([...selected.map((value): [string, number] => [value, 0]), ...counts]);
  return [...all].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
}

interface MultiSelectProps<T extends string> {
  readonly name: string;
  readonly options: readonly Option<T>[];
  readonly selected: readonly T[];
  readonly onChange: (selected: readonly T[]) => void;
}

/** Selection of any number of options. No selection means all options. */
function MultiSelect<T extends string>({ name, options, selected, onChange }: MultiSelectProps<T>): JSX.Element | null {
  if (options.length === 0) return null;
  const shown = options.filter(({ value }, index) => index < MAX_OPTIONS || selected.includes(value));
  const hidden = options.length - shown.length;
  return (
    <fieldset>
      <legend>
        {name} <span class="hint">{selected.length === 0 ? 'all' : `${selected.length} selected`}</span>
      </legend>
      <div class="chips">
        {shown.map(({ value, text, count, color }) => (
          <button
            key={value}
            type="button"
            class="chip"
            aria-pressed={selected.includes(value)}
            title={value}
            onClick={() => onChange(toggle(selected, value))}
          >
            {color !== undefined && <Dot color={color} />}
            <span>{text}</span> <span class="hint">{count}</span>
          </button>
        ))}
        {hidden > 0 && <span class="hint">{hidden} more: use the search</span>}
      </div>
    </fieldset>
  );
}

const PART_LABELS: Readonly<Record<Part, string>> = {
  performance: 'performance, tokens, cost',
  neural: 'neural',
  topology: 'topology',
};

/** Maximum update rate and included parts. */
function StreamSettings(): JSX.Element {
  const page = usePage();
  const { mode, omitted } = page.view;
  return (
    <>
      <fieldset>
        <legend>Maximum update rate</legend>
        <div class="segments">
          {MODES.map((value) => (
            <label key={value}>
              <input
                type="radio"
                name="mode"
                value={value}
                checked={mode === value}
                onChange={() => page.change({ mode: value })}
              />
              <span>{MODE_LABELS[value]}</span>
            </label>
          ))}
        </div>
        {mode === 'ON_DEMAND' && (
          <button type="button" onClick={() => page.requestUpdate()}>
            Request an update
          </button>
        )}
      </fieldset>
      <fieldset class="includes">
        <legend>Include</legend>
        {PARTS.map((part) => (
          <label key={part}>
            <input
              type="checkbox"
              checked={!omitted.includes(part)}
              onChange={() => page.change({ omitted: toggle(omitted, part) })}
            />
            {PART_LABELS[part]}
          </label>
        ))}
      </fieldset>
    </>
  );
}
