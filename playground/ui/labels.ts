import type { Agent } from '@swarmlens/client';

const MAX_LABEL = 16;
const TAIL = 5;

/** Shortens a name for a narrow column. Keeps its end, because generated names differ there. */
export function shortenName(name: string, max: number): string {
  if (name.length <= max) return name;
  const head = max - TAIL - 1;
  return `${name.slice(0, head)}…${name.slice(-TAIL)}`;
}

/** Returns the label of an agent in the graph: its name, or its type and the end of a long name. */
export function agentLabel({ name, type }: Pick<Agent, 'name' | 'type'>): string {
  return name.length <= MAX_LABEL ? name : `${shortenName(type, MAX_LABEL)} …${name.slice(-TAIL + 1)}`;
}

/** Returns a key for natural sorting: `coder-2` before `coder-10`. */
export function sortKey(text: string): string {
  return text.replaceAll(/\d+/g, (digits) => digits.padStart(15, '0'));
}
