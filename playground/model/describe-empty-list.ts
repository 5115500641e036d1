import type { AgentStreamSnapshot } from '@swarmlens/client';

/** Describes why the list of agents is empty. */
export function describeEmptyList({ error, status, cursor }: AgentStreamSnapshot, isFiltered: boolean): string {
  if (error !== null) return `${status === 'ENDED' ? '' : 'Retrying: '}${error.message}`;
  if (cursor === null) return 'Waiting for the first agents.';
  return isFiltered
    ? 'No agent matches these filters. They appear here as soon as a server reports one.'
    : 'No agents. They appear here as soon as a server reports one.';
}
