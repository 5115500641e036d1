import type { Viewer } from '../auth/index.js';
import type { McpServerType } from '../domain/index.js';
import { SwarmlensError } from '../shared/index.js';
import { createView, restrictView, type View } from '../state/index.js';

/** Entries of one filter; a client that wants more wants no filter. */
export const MAX_FILTER_ENTRIES = 200;
/** Characters of one entry of a filter: longer ids and types do not exist. */
export const MAX_FILTER_LENGTH = 600;

export interface ViewArguments {
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  readonly agentTypes?: readonly string[] | null | undefined;
  readonly swarmIds?: readonly string[] | null | undefined;
  readonly includePerformance?: boolean | null | undefined;
  readonly includeNeural?: boolean | null | undefined;
  readonly includeTopology?: boolean | null | undefined;
}

/**
 * The view that arguments ask for, less what the viewer may not see.
 * @throws SwarmlensError BAD_USER_INPUT naming the argument
 */
export function viewOf(args: ViewArguments, { restriction }: Viewer): View {
  for (const argument of ['serverTypes', 'agentTypes', 'swarmIds'] as const) checkFilter(argument, args[argument]);
  const view = createView({
    serverTypes: args.serverTypes,
    agentTypes: args.agentTypes,
    swarmIds: args.swarmIds,
    includePerformance: args.includePerformance ?? true,
    includeNeural: args.includeNeural ?? true,
    includeTopology: args.includeTopology ?? true,
  });
  return restrictView(view, restriction);
}

function checkFilter(argument: string, values: readonly string[] | null | undefined): void {
  if (values == null) return;
  if (values.length > MAX_FILTER_ENTRIES) {
    throw new SwarmlensError(
      'BAD_USER_INPUT',
      `Argument "${argument}" has ${values.length} entries, ${MAX_FILTER_ENTRIES} are allowed: ask for less, or leave it out for all.`,
      { argument },
    );
  }
  if (values.some((value) => value.length > MAX_FILTER_LENGTH)) {
    throw new SwarmlensError(
      'BAD_USER_INPUT',
      `Argument "${argument}" has an entry of more than ${MAX_FILTER_LENGTH} characters.`,
      { argument },
    );
  }
}
