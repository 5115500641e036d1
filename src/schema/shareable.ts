import type { GraphQLField } from 'graphql';
import type { StreamRequest } from '../delivery/index.js';
import type { SchemaContext } from './context.js';

/** What a subscription asks the delivery for, from its coerced arguments; throws SwarmlensError for wrong ones. */
export type SharedStreamPlan = (args: Readonly<Record<string, unknown>>, context: SchemaContext) => StreamRequest;

/** Where a field says that it may be shared. Everything that does not say so runs by itself for each viewer. */
export const SHARED_STREAM = 'swarmlens.shareable';

/** How a field is shared; `null` when it is not. */
export function sharedStreamPlan(field: GraphQLField<unknown, unknown>): SharedStreamPlan | null {
  const plan: unknown = field.extensions[SHARED_STREAM];
  return typeof plan === 'function' ? (plan as SharedStreamPlan) : null; // only `shareable` fields of this room set it
}
