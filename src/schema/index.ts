import './query.js';
import './mutation.js';
import './subscription.js';
import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.js';
import { enforcePermissions } from './field-extensions.js';

export type { SchemaContext, ResolverServices } from './context.js';
export type { ConnectionHealth, EventLoopHealth, MemoryHealth, NodeHealth } from './node-health.js';

export const schema: GraphQLSchema = enforcePermissions(builder.toSchema({ sortSchema: false }));
export { sharedStreamPlan } from './field-extensions.js';
