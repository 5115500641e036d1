import { type Agent, type AgentState, agentStateOf, contextRatioOf, tokensOf } from '@swarmlens/client';
import { sortKey } from '../ui/labels.js';
import type { SortOrder } from './view-state.js';

/** Position of an agent in an order: by number, then by text. */
export interface OrderKey {
  readonly value: number;
  readonly text: string;
}

/** Position of unknown values: last. */
const LAST = Number.POSITIVE_INFINITY;

/** Ranks of states. Working and idle agents have the same rank, so that rows stay in place while an agent works. */
const URGENCY: Readonly<Record<AgentState, number>> = {
  waiting: 0,
  failed: 1,
  working: 2,
  idle: 2,
  unknown: 2,
  stale: 3,
  ended: 4,
};

const VALUES: Readonly<Record<SortOrder, (agent: Agent) => number>> = {
  urgency: (agent) => URGENCY[agentStateOf(agent)],
  name: () => 0,
  since: ({ activity }) => timeOf(activity?.since),
  tokens: (agent) => descending(tokensOf(agent)),
  cost: ({ usage }) => descending(usage?.costUsd),
  context: (agent) => descending(contextRatioOf(agent)),
  recent: ({ lastActiveAt }) => -timeOf(lastActiveAt, Number.NEGATIVE_INFINITY),
};

const texts = new WeakMap<Agent, string>();

export function orderKeyOf(agent: Agent, order: SortOrder): OrderKey {
  let text = texts.get(agent);
  if (text === undefined) {
    text = sortKey(`${agent.name} ${agent.id}`);
    texts.set(agent, text);
  }
  return { value: VALUES[order](agent), text };
}

export function compareKeys(a: OrderKey, b: OrderKey): number {
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.text === b.text ? 0 : a.text < b.text ? -1 : 1;
}

function descending(value: number | null | undefined): number {
  return value == null ? LAST : -value;
}

function timeOf(at: string | null | undefined, unknown = LAST): number {
  const ms = Date.parse(at ?? '');
  return Number.isNaN(ms) ? unknown : ms;
}
