import type { McpServerType } from '../model/index.js';
import { isSingleLine } from '../shared/sanitize/index.js';
import { SwarmlensError } from '../shared/index.js';
import { createView, type View } from '../state/index.js';

/** Entries of one filter; a client that wants more wants no filter. */
const MAX_FILTER_ENTRIES = 200;
/** Characters of an id, a name or a type: longer ones do not exist. */
const MAX_FILTER_LENGTH = 600;
/** A cursor repeats the filters, in base64 of their bytes. */
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
 * The view that arguments ask for.
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

/**
 * An id, a name or a type that a client passes.
 * @throws SwarmlensError BAD_USER_INPUT naming the argument
 */
export function validateName(argument: string, value: string): void {
  if (value.length > MAX_FILTER_LENGTH) {
    throw argumentError(argument, `is longer than ${MAX_FILTER_LENGTH} characters`);
  }
  if (!isSingleLine(value)) throw argumentError(argument, 'has control characters or ends of lines');
}

/**
 * A list of them.
 * @throws SwarmlensError BAD_USER_INPUT naming the argument
 */
export function validateNames(argument: string, values: readonly string[] | null | undefined): void {
  if (values == null) return;
  if (values.length > MAX_FILTER_ENTRIES) {
    throw argumentError(
      argument,
      `has ${values.length} entries, ${MAX_FILTER_ENTRIES} are allowed: ask for less, or leave it out for all`,
    );
  }
  for (const value of values) validateName(argument, value);
}

/** @throws SwarmlensError BAD_USER_INPUT naming the argument */
export function validateCursor(argument: string, cursor: string): void {
  if (cursor.length > MAX_CURSOR_LENGTH) throw argumentError(argument, 'is longer than a cursor can be');
  if (!/^[\w-]*$/.test(cursor)) throw argumentError(argument, 'is not a cursor: pass an AgentUpdate.cursor unchanged');
}

export function argumentError(argument: string, problem: string): SwarmlensError {
  return new SwarmlensError('BAD_USER_INPUT', `Argument "${argument}" ${problem}.`, { argument });
}
