import { type Agent, agentStateOf } from '@swarmlens/client';
import { formatEnumValue } from '../ui/format.js';
import { isToday } from './cost-today.js';
import type { AgentFilter } from './view-state.js';

export type AgentMatcher = (agent: Agent) => boolean;

/** Returns the matcher of the filters by server, type and swarm, which seldom change for an agent. Null if all match. */
export function createGroupMatcher(filter: AgentFilter): AgentMatcher | null {
  const { serverTypes, agentTypes, swarmIds } = filter;
  const [servers, types, swarms] = [new Set(serverTypes), new Set(agentTypes), new Set(swarmIds)];
  if (servers.size + types.size + swarms.size === 0) return null;
  return ({ serverType, type, swarmId }) =>
    (servers.size === 0 || servers.has(serverType)) &&
    (types.size === 0 || types.has(type)) &&
    (swarms.size === 0 || (swarmId !== null && swarms.has(swarmId)));
}

/** Returns the matcher of the search and of the filters by state and day. Null if all agents match. */
export function createStateMatcher(filter: AgentFilter, nowMs: number): AgentMatcher | null {
  const states = new Set(filter.states);
  const text = filter.search.trim().toLowerCase();
  if (states.size === 0 && text === '' && !filter.isToday) return null;
  return (agent) =>
    (states.size === 0 || states.has(agentStateOf(agent))) &&
    (!filter.isToday || isToday(agent, nowMs)) &&
    (text === '' || containsText(agent, text));
}

/** Returns the matcher of all filters. */
export function createMatcher(filter: AgentFilter, nowMs: number): AgentMatcher {
  const inGroup = createGroupMatcher(filter);
  const inState = createStateMatcher(filter, nowMs);
  return (agent) => (inGroup === null || inGroup(agent)) && (inState === null || inState(agent));
}

function containsText(agent: Agent, text: string): boolean {
  const { name, type, status, id, swarmId, title, workspace, model, activity } = agent;
  return [name, type, formatEnumValue(status), id, swarmId, title, workspace, model, activity?.label].some(
    (value) => value?.toLowerCase().includes(text) === true,
  );
}
