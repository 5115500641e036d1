import type { AgentState } from '@swarmlens/client';
import type { JSX } from 'preact';
import type { CostToday } from '../model/cost-today.js';
import type { Tone } from '../ui/format.js';
import { explainCost, formatCost, STATE_LABELS } from '../ui/format.js';
import { ViewLink } from './basics.js';
import { usePage } from './page-context.js';

const COUNTED: readonly { readonly state: AgentState; readonly tone: Tone; readonly title: string }[] = [
  { state: 'waiting', tone: 'warning', title: 'Agents that are blocked until a person acts' },
  { state: 'working', tone: 'good', title: 'Agents that work now' },
  { state: 'failed', tone: 'bad', title: 'Agents that failed' },
  {
    state: 'stale',
    tone: 'neutral',
    title: 'Agents whose server does not answer. Their values are the last known ones.',
  },
];

/** Numbers of all agents that the viewer can see. Each is a link to these agents. */
export function CountsBar(): JSX.Element {
  const { counts, stream } = usePage();
  const { byState, total, costToday } = counts.value;
  const isKnown = stream.value.cursor !== null;
  return (
    <ul class="counts" aria-label="All agents">
      {COUNTED.map(({ state, tone, title }) => {
        const count = byState.get(state) ?? 0;
        return (
          <li key={state}>
            <ViewLink change={{ states: [state] }} isReset class="count" title={title}>
              <strong data-tone={count === 0 ? 'neutral' : tone}>{isKnown ? count : '–'}</strong>
              <span>{STATE_LABELS[state]}</span>
            </ViewLink>
          </li>
        );
      })}
      <li>
        <ViewLink change={{ isToday: true, sort: 'cost' }} isReset class="count" title={explainCostToday(costToday)}>
          <strong data-tone="neutral">{formatCost(costToday)}</strong>
          <span>cost of agents active today</span>
        </ViewLink>
      </li>
      <li>
        <ViewLink change={{}} isReset class="count" title="All agents that you can see">
          <strong data-tone="neutral">{isKnown ? total : '–'}</strong>
          <span>agents</span>
        </ViewLink>
      </li>
    </ul>
  );
}

/** Explains which agents and days the cost includes. */
function explainCostToday(cost: CostToday): string {
  const { agents, unknown, older } = cost;
  return [
    explainCost(cost),
    `Sum of ${agents - unknown} of ${agents} agents that were active today.`,
    ...(unknown > 0 ? [`The cost of ${unknown} is unknown.`] : []),
    ...(older > 0 ? [`${older} may be older than today: their cost includes earlier days.`] : []),
  ].join(' ');
}
