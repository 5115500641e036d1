import './links.js';
import './query.js';
import './mutation.js';
import './subscription.js';
import type { GraphQLSchema } from 'graphql';
import { limitAnswers } from './answer-budget.js';
import { builder } from './builder.js';
import { enforcePermissions } from './field-extensions.js';

export { AnswerBudget, type AnswerBudgetOptions, countValues, SliceTurns } from './answer-budget.js';
export type { LimitedClient, ResolverServices, SchemaContext } from './context.js';
export type { ConnectionHealth, EventLoopHealth, MemoryHealth, NodeHealth, Readiness } from './node-health.js';

export const schema: GraphQLSchema = limitAnswers(enforcePermissions(builder.toSchema({ sortSchema: false })));
export { sharedStreamPlan } from './field-extensions.js';
