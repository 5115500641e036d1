import { defaultFieldResolver, type GraphQLField, type GraphQLSchema, isObjectType } from 'graphql';
import type { StreamRequest } from '../delivery/index.js';
import type { SchemaContext } from './context.js';
import { type Permission, requirePermission, type Viewer } from '../auth/index.js';

/** Converts coerced arguments to the stream request of a subscription. Throws SwarmlensError for invalid arguments. */
export type SharedStreamPlan = (args: Readonly<Record<string, unknown>>, context: SchemaContext) => StreamRequest;

/** Extension of fields whose subscriptions may be shared. Other subscriptions are executed for each client. */
export const SHARED_STREAM = 'swarmlens.shareable';

/** Returns the stream plan of a field, or null if its subscriptions cannot be shared. */
export function sharedStreamPlan(field: GraphQLField<unknown, unknown>): SharedStreamPlan | null {
  const plan: unknown = field.extensions[SHARED_STREAM];
  return typeof plan === 'function' ? (plan as SharedStreamPlan) : null; // only fields of this room set it
}

/** Extension that holds the permission requirement of a field. */
const REQUIRES = 'swarmlens.requires';

/** Permission that a field requires. Null if every authenticated viewer may use it. */
export type PermissionRequirement = Permission | null;

/** Returns the extensions of a field that requires a permission. Every field of a root type needs them. */
export function permissionExtension(requirement: PermissionRequirement): Readonly<Record<string, unknown>> {
  return { [REQUIRES]: requirement };
}

/**
 * Wraps all fields that require a permission, in queries, mutations and subscriptions, shared or not.
 * @throws Error if a field of a root type declares no requirement
 */
export function enforcePermissions(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const isRoot = roots.some((root) => root === type);
    for (const field of Object.values(type.getFields())) {
      const requirement = readRequirement(field);
      if (requirement === undefined && isRoot) {
        throw new Error(
          `${type.name}.${field.name} declares no permission. Add permissionExtension() to its extensions.`,
        );
      }
      if (requirement != null) guardField(field, requirement, type === schema.getSubscriptionType());
    }
  }
  return schema;
}

function readRequirement(field: GraphQLField<unknown, unknown>): PermissionRequirement | undefined {
  return field.extensions[REQUIRES] as PermissionRequirement | undefined; // only `permissionExtension` sets it
}

function guardField(field: GraphQLField<unknown, unknown>, permission: Permission, isStream: boolean): void {
  const check = (context: unknown): void => {
    requirePermission((context as { readonly viewer: Viewer }).viewer, permission); // all contexts of this schema have a viewer
  };
  // Subscriptions are checked once at the start instead of for each event.
  const original = isStream ? field.subscribe : (field.resolve ?? defaultFieldResolver);
  if (original === undefined) throw new Error(`${field.name} has no subscribe function.`);
  const guarded: typeof original = (source, args, context, info): unknown => {
    check(context);
    return original(source, args, context, info);
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
