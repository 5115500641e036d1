import type { McpServerType } from '../model/index.js';
import { isSingleLine } from '../shared/sanitize/index.js';
import { SwarmlensError } from '../shared/index.js';
import { createView, type View } from '../state/index.js';

/** Maximum number of entries in one filter. */
const MAX_FILTER_ENTRIES = 200;
/** Maximum length in characters of an id, a name or a type. */
const MAX_FILTER_LENGTH = 600;
/** Maximum length of a cursor in characters. Cursors of version 0.1.0 contain all filters as base64. */
const MAX_CURSOR_LENGTH = 250_000;

export interface ViewArguments {
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  readonly agentTypes?: readonly string[] | null | undefined;
  readonly swarmIds?: readonly string[] | null | undefined;
  readonly includePerformance?: boolean | null | undefined;
  readonly includeNeural?: boolean | null | undefined;
  readonly includeTopology?: boolean | null | undefined;
}

/**
 * Converts the filter and include arguments to a view.
 * @throws SwarmlensError BAD_USER_INPUT naming the argument
 */
export function parseViewArguments(args: ViewArguments): View {
  for (const argument of ['serverTypes', 'agentTypes', 'swarmIds'] as const) validateNames(argument, args[argument]);
  return createView({
    serverTypes: args.serverTypes,
    agentTypes: args.agentTypes,
    swarmIds: args.swarmIds,
    includePerformance: args.includePerformance ?? true,
    includeNeural: args.includeNeural ?? true,
    includeTopology: args.includeTopology ?? true,
  });
}

export interface TaskViewArguments extends Pick<ViewArguments, 'serverTypes' | 'swarmIds'> {
  readonly agentIds?: readonly string[] | null | undefined;
}

/**
 * Converts the filter arguments of tasks to a view.
 * @throws SwarmlensError BAD_USER_INPUT naming the argument
 */
export function parseTaskViewArguments({ serverTypes, swarmIds, agentIds }: TaskViewArguments): View {
  for (const [argument, values] of Object.entries({ serverTypes, swarmIds, agentIds })) validateNames(argument, values);
  return createView({ subject: 'tasks', serverTypes, swarmIds, agentIds });
}

/**
 * Validates an id, a name or a type from a client.
 * @throws SwarmlensError BAD_USER_INPUT naming the argument
 */
export function validateName(argument: string, value: string): void {
  if (value.length > MAX_FILTER_LENGTH) {
    throw argumentError(argument, `is longer than ${MAX_FILTER_LENGTH} characters`);
  }
  if (!isSingleLine(value)) throw argumentError(argument, 'contains control characters or line breaks');
}

/**
 * Validates a list of ids, names or types from a client.
 * @throws SwarmlensError BAD_USER_INPUT naming the argument
 */
export function validateNames(argument: string, values: readonly string[] | null | undefined): void {
  if (values == null) return;
  if (values.length > MAX_FILTER_ENTRIES) {
    throw argumentError(
      argument,
      `has ${values.length} entries, but at most ${MAX_FILTER_ENTRIES} are allowed. Omit it to match everything`,
    );
  }
  for (const value of values) validateName(argument, value);
}

/** Validates the format of a cursor. @throws SwarmlensError BAD_USER_INPUT naming the argument */
export function validateCursor(argument: string, cursor: string): void {
  if (cursor.length <= MAX_CURSOR_LENGTH && /^[\w-]*$/.test(cursor)) return;
  const message = `Invalid cursor in argument "${argument}". Pass the cursor of an update unchanged.`;
  throw new SwarmlensError('BAD_USER_INPUT', message, { argument });
}

export function argumentError(argument: string, problem: string): SwarmlensError {
  return new SwarmlensError('BAD_USER_INPUT', `Argument "${argument}" ${problem}.`, { argument });
}
