import { AGENT_STATES } from '@swarmlens/client';
import type { JSX } from 'preact';
import { SORT_ORDERS, type SortOrder, toggle } from '../model/view-state.js';
import { STATE_LABELS } from '../ui/format.js';
import { FilterPanel } from './filter-panel.js';
import { usePage } from './page-context.js';

/** Id of the search field, which the key `/` moves to. */
export const SEARCH_ID = 'search-text';

const SORT_LABELS: Readonly<Record<SortOrder, string>> = {
  urgency: 'urgency',
  name: 'name',
  since: 'longest activity',
  tokens: 'tokens',
  cost: 'cost',
  context: 'context',
  recent: 'last active',
};

/** Search, filters and order of the agents. */
export function AgentToolbar(): JSX.Element {
  const page = usePage();
  const { view, counts, tree } = page;
  const { byState, total } = counts.value;
  const { matching } = tree.value;
  return (
    <div class="toolbar">
      <SearchField />
      <div class="chips" role="group" aria-label="Status">
        {AGENT_STATES.filter((state) => (byState.get(state) ?? 0) > 0 || view.states.includes(state)).map((state) => (
          <button
            key={state}
            type="button"
            class="chip"
            aria-pressed={view.states.includes(state)}
            onClick={() => page.change({ states: toggle(view.states, state) })}
          >
            {STATE_LABELS[state]} <span class="hint">{byState.get(state) ?? 0}</span>
          </button>
        ))}
        {view.isToday && (
          <button type="button" class="chip" aria-pressed="true" onClick={() => page.change({ isToday: false })}>
            active today
          </button>
        )}
      </div>
      <label class="sort">
        <span class="hint">Sort by</span>
        <select
          id="sort"
          value={view.sort}
          onChange={({ currentTarget }) => {
            const sort = SORT_ORDERS.find((order) => order === currentTarget.value);
            if (sort !== undefined) page.change({ sort });
          }}
        >
          {SORT_ORDERS.map((order) => (
            <option key={order} value={order}>
              {SORT_LABELS[order]}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="chip"
        aria-pressed={!view.isFlat}
        title="Show agents below the agents that started them"
        onClick={() => page.change({ isFlat: !view.isFlat })}
      >
        tree
      </button>
      <p id="agents-count" class="matching" role="status">
        {page.isFiltered.value ? `${matching} of ${total} agents shown` : `${total} agents`}
      </p>
      {page.isFiltered.value && (
        <button id="clear" type="button" onClick={() => page.clearFilters()}>
          Clear filters
        </button>
      )}
      <FilterPanel />
    </div>
  );
}

/** Search field. Each letter replaces the address, so that Back leaves the search at once. */
export function SearchField(): JSX.Element {
  const page = usePage();
  return (
    <form
      id="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <input
        id={SEARCH_ID}
        type="search"
        placeholder="Search (/)"
        aria-label="Search"
        value={page.view.search}
        onInput={({ currentTarget }) => {
          const mode = page.view.search === '' ? 'push' : 'replace';
          page.change({ search: currentTarget.value }, mode);
        }}
      />
    </form>
  );
}
