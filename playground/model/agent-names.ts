import type { Agent } from '@swarmlens/client';
import { shortenName, type SplitName, splitName } from '../ui/labels.js';

/** Name of an agent for a column of limited width. */
export interface ShownName extends SplitName {
  /** Text that distinguishes the agent from others whose shortened name is equal. Empty if there are none. */
  readonly suffix: string;
}

type Named = Pick<Agent, 'id' | 'nativeId' | 'serverId' | 'name'>;

/** Shortest and longest part of an id that distinguishes agents. */
const MIN_SUFFIX = 4;
const MAX_SUFFIX = 10;

/**
 * Shortens the names of agents so that no two look alike. Agents with equal shortened names get a suffix: their server, the end
 * of their id, or a number in the order of their ids.
 */
export class AgentNames {
  readonly #max: number;
  #named = new Map<string, string>();
  #names: ReadonlyMap<string, ShownName> = new Map();

  /** @param max maximum number of characters of a name */
  constructor(max: number) {
    this.#max = max;
  }

  /** Returns the names by the ids of the agents. Computes them again only when agents or names have changed. */
  update(agents: ReadonlyMap<string, Named>): ReadonlyMap<string, ShownName> {
    if (this.#isCurrent(agents)) return this.#names;
    this.#named = new Map([...agents.values()].map(({ id, name }) => [id, name]));
    this.#names = distinguishNames([...agents.values()], this.#max);
    return this.#names;
  }

  #isCurrent(agents: ReadonlyMap<string, Named>): boolean {
    if (agents.size !== this.#named.size) return false;
    for (const [id, { name }] of agents) if (this.#named.get(id) !== name) return false;
    return true;
  }
}

/** @param max maximum number of characters of a name */
export function distinguishNames(agents: readonly Named[], max: number): ReadonlyMap<string, ShownName> {
  const alike = new Map<string, Named[]>();
  for (const agent of agents) {
    const label = shortenName(agent.name, max).normalize('NFKC').toLowerCase();
    const others = alike.get(label);
    if (others === undefined) alike.set(label, [agent]);
    else others.push(agent);
  }
  const names = new Map<string, ShownName>();
  for (const group of alike.values()) {
    const suffixes = group.length === 1 ? [''] : findSuffixes(group);
    group.forEach(({ id, name }, index) => {
      names.set(id, { ...splitName(name, max), suffix: suffixes[index] ?? '' });
    });
  }
  return names;
}

/** Returns a text for each agent that no other has. */
function findSuffixes(group: readonly Named[]): readonly string[] {
  const servers = group.map(({ serverId }) => serverId);
  if (areDistinct(servers)) return servers;
  for (let length = MIN_SUFFIX; length <= MAX_SUFFIX; length += 1) {
    const ends = group.map(({ nativeId }) => nativeId.slice(-length));
    if (areDistinct(ends)) return ends;
  }
  const sorted = group.map(({ id }) => id).sort();
  const numbers = new Map(sorted.map((id, index) => [id, `#${index + 1}`]));
  return group.map(({ id }) => numbers.get(id) ?? '');
}

function areDistinct(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
