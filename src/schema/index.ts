import './query.js';
import './mutation.js';
import './subscription.js';
import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.js';
import { withPermissions } from './permissions.js';

export type { SchemaContext, Services } from './context.js';
export type { ConnectionHealth, EventLoopHealth, MemoryHealth, NodeHealth } from './node-health.js';

export const schema: GraphQLSchema = withPermissions(builder.toSchema({ sortSchema: false }));
export { shareableStream } from './shareable.js';
