import { AGENT_STATES, type AgentState, type McpServerType, type PerformanceMode } from '@swarmlens/client';

/** Tabs of the page, in their order. */
export const TABS = ['agents', 'tasks', 'health'] as const;
export type Tab = (typeof TABS)[number];

/** Orders of the list of agents. */
export const SORT_ORDERS = ['urgency', 'name', 'since', 'tokens', 'cost', 'context', 'recent'] as const;
export type SortOrder = (typeof SORT_ORDERS)[number];

export const SERVER_TYPES = ['CLAUDE_CODE', 'CODEX', 'CLAUDE_FLOW', 'RUV_SWARM', 'DAA', 'CUSTOM'] as const;
export const MODES = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'] as const;
/** Parts of an agent that the page can omit from its request. */
export const PARTS = ['performance', 'neural', 'topology'] as const;
export type Part = (typeof PARTS)[number];

/** Filters of agents. An empty list matches all agents. */
export interface AgentFilter {
  readonly search: string;
  readonly states: readonly AgentState[];
  readonly serverTypes: readonly McpServerType[];
  readonly agentTypes: readonly string[];
  readonly swarmIds: readonly string[];
  /** Whether only agents that were active today match. */
  readonly isToday: boolean;
}

/** State of the page that its address contains. */
export interface ViewState extends AgentFilter {
  readonly tab: Tab;
  /** Id of the selected agent. */
  readonly agentId: string | null;
  readonly sort: SortOrder;
  /** Whether the list shows agents without their tree. */
  readonly isFlat: boolean;
  readonly mode: PerformanceMode;
  readonly omitted: readonly Part[];
}

export const NO_FILTER: AgentFilter = {
  search: '',
  states: [],
  serverTypes: [],
  agentTypes: [],
  swarmIds: [],
  isToday: false,
};

export const DEFAULT_VIEW: ViewState = {
  ...NO_FILTER,
  tab: 'agents',
  agentId: null,
  sort: 'urgency',
  isFlat: false,
  mode: 'NORMAL',
  omitted: [],
};

/** Limits of the address, which any page can link to. */
const MAX_TEXT = 500;
const MAX_VALUES = 50;

/**
 * Reads the state of the page from the query of an address. Ignores unknown parameters and values, so that every address opens
 * the page.
 */
export function parseViewState(query: string): ViewState {
  const params = new URLSearchParams(query);
  const single = <T extends string>(name: string, known: readonly T[], otherwise: T): T =>
    pick(known, params.get(name)) ?? otherwise;
  const many = <T extends string>(name: string, known: readonly T[]): readonly T[] =>
    known.filter((value) => params.getAll(name).includes(value));
  const texts = (name: string): readonly string[] =>
    [...new Set(params.getAll(name).filter(isText))].sort().slice(0, MAX_VALUES);
  const text = (name: string): string | null => {
    const value = params.get(name);
    return value !== null && isText(value) ? value : null;
  };
  return {
    tab: single('tab', TABS, DEFAULT_VIEW.tab),
    agentId: text('agent'),
    search: text('q') ?? '',
    states: many('state', AGENT_STATES),
    serverTypes: many('server', SERVER_TYPES),
    agentTypes: texts('type'),
    swarmIds: texts('swarm'),
    isToday: params.get('active') === 'today',
    sort: single('sort', SORT_ORDERS, DEFAULT_VIEW.sort),
    isFlat: params.get('list') === 'flat',
    mode: single('rate', MODES, DEFAULT_VIEW.mode),
    omitted: many('omit', PARTS),
  };
}

/** Prints the state of the page as the query of an address, with `?`, or as `/` if everything has its default. */
export function printViewState(view: ViewState): string {
  const params = new URLSearchParams();
  if (view.tab !== DEFAULT_VIEW.tab) params.set('tab', view.tab);
  if (view.agentId !== null) params.set('agent', view.agentId);
  if (view.search !== '') params.set('q', view.search);
  for (const state of view.states) params.append('state', state);
  for (const type of view.serverTypes) params.append('server', type);
  for (const type of view.agentTypes) params.append('type', type);
  for (const id of view.swarmIds) params.append('swarm', id);
  if (view.isToday) params.set('active', 'today');
  if (view.sort !== DEFAULT_VIEW.sort) params.set('sort', view.sort);
  if (view.isFlat) params.set('list', 'flat');
  if (view.mode !== DEFAULT_VIEW.mode) params.set('rate', view.mode);
  for (const part of view.omitted) params.append('omit', part);
  const text = params.toString();
  return text === '' ? '/' : `/?${text}`;
}

/** Whether any filter or search is set. */
export function hasFilter(filter: AgentFilter): boolean {
  const { search, states, serverTypes, agentTypes, swarmIds, isToday } = filter;
  return search !== '' || isToday || [states, serverTypes, agentTypes, swarmIds].some(({ length }) => length > 0);
}

/** Adds a value to a list, or removes it. */
export function toggle<T>(values: readonly T[], value: T): readonly T[] {
  return values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
}

function pick<T extends string>(known: readonly T[], value: string | null): T | undefined {
  return known.find((candidate) => candidate === value);
}

function isText(value: string): boolean {
  return value !== '' && value.length <= MAX_TEXT;
}
