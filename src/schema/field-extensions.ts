import { defaultFieldResolver, type GraphQLField, type GraphQLSchema, isObjectType } from 'graphql';
import type { StreamRequest } from '../delivery/index.js';
import type { SchemaContext } from './context.js';
import { type Permission, requirePermission, type Viewer } from '../auth/index.js';

/** What a subscription asks the delivery for, from its coerced arguments; throws SwarmlensError for wrong ones. */
export type SharedStreamPlan = (args: Readonly<Record<string, unknown>>, context: SchemaContext) => StreamRequest;

/** Where a field says that it may be shared. Everything that does not say so runs by itself for each viewer. */
export const SHARED_STREAM = 'swarmlens.shareable';

/** How a field is shared; `null` when it is not. */
export function sharedStreamPlan(field: GraphQLField<unknown, unknown>): SharedStreamPlan | null {
  const plan: unknown = field.extensions[SHARED_STREAM];
  return typeof plan === 'function' ? (plan as SharedStreamPlan) : null; // only `shareable` fields of this room set it
}

/** Where a field says what its viewer has to be permitted. */
const REQUIRES = 'swarmlens.requires';

/** What a field needs; `null`: nothing but to be let in at all. */
export type PermissionRequirement = Permission | null;

/** Extensions of a field that only viewers with a permission get. Each field of a root type has to say so. */
export function permissionExtension(requirement: PermissionRequirement): Readonly<Record<string, unknown>> {
  return { [REQUIRES]: requirement };
}

/**
 * The schema with each field that requires a permission asking for it: in queries, mutations and subscriptions alike,
 * whether they are shared or run by themselves.
 * @throws Error when a field of a root type does not say what it requires
 */
export function enforcePermissions(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const isRoot = roots.some((root) => root === type);
    for (const field of Object.values(type.getFields())) {
      const requirement = requirementOf(field);
      if (requirement === undefined && isRoot)
        throw new Error(`${type.name}.${field.name} does not say what it requires`);
      if (requirement != null) guard(field, requirement, type === schema.getSubscriptionType());
    }
  }
  return schema;
}

function requirementOf(field: GraphQLField<unknown, unknown>): PermissionRequirement | undefined {
  return field.extensions[REQUIRES] as PermissionRequirement | undefined; // only `requires` sets it
}

function guard(field: GraphQLField<unknown, unknown>, permission: Permission, isStream: boolean): void {
  const check = (context: unknown): void => {
    requirePermission((context as { readonly viewer: Viewer }).viewer, permission); // of every context of this schema
  };
  // A subscription is asked for once, when it begins, and not for each of its events.
  const own = isStream ? field.subscribe : (field.resolve ?? defaultFieldResolver);
  if (own === undefined) throw new Error(`${field.name} has nothing to subscribe to`);
  const guarded: typeof own = (source, args, context, info): unknown => {
    check(context);
    return own(source, args, context, info);
  };
  if (isStream) field.subscribe = guarded;
  else field.resolve = guarded;
  const shared = sharedStreamPlan(field);
  if (shared === null) return;
  const plan: typeof shared = (args, context) => {
    check(context);
    return shared(args, context);
  };
  field.extensions = { ...field.extensions, [SHARED_STREAM]: plan };
}
