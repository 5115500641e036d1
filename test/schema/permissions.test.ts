import { buildSchema, execute, type ExecutionArgs, isObjectType, parse, subscribe } from 'graphql';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type Permission, PERMISSIONS } from '../../src/auth/index.js';
import { schema, sharedStreamPlan } from '../../src/schema/index.js';
import { permissionExtension, enforcePermissions } from '../../src/schema/field-extensions.js';

/** Required permission of each root field. A missing field fails the test. */
const REQUIRED: Readonly<Record<string, Permission | null>> = {
  'Query.discovery': 'agents:read',
  'Query.servers': 'health:read',
  'Query.server': 'health:read',
  'Query.swarms': 'agents:read',
  'Query.agents': 'agents:read',
  'Query.agent': 'agents:read',
  'Query.tasks': 'agents:read',
  'Query.topology': 'agents:read',
  'Query.health': 'health:read',
  'Query.notices': 'health:read',
  'Query.viewer': null,
  'Mutation.callTool': 'tools:call',
  'Mutation.refreshDiscovery': 'agents:read',
  'Mutation.requestAgentUpdate': 'agents:read',
  'Mutation.authenticate': null,
  'Mutation.setMaxHz': null,
  'Subscription.agentUpdates': 'agents:read',
  'Subscription.taskUpdates': 'agents:read',
  'Subscription.agentMessages': 'agents:read',
  'Subscription.topologyChanges': 'agents:read',
  'Subscription.performanceMetrics': 'agents:read',
  'Subscription.healthChanges': 'health:read',
  'Subscription.notices': 'health:read',
};

const FIELDS = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
  Object.values(type?.getFields() ?? {}).map((field) => [`${type?.name ?? ''}.${field.name}`, field] as const),
);

function context(...permissions: Permission[]): object {
  // Rejected calls use nothing else of the context; accepted calls fail for lack of it.
  return { viewer: { ...ANONYMOUS_VIEWER, permissions: new Set(permissions) } };
}

describe('enforcePermissions', () => {
  test('covers each root field of the table', () => {
    expect(FIELDS.map(([name]) => name).sort()).toEqual(Object.keys(REQUIRED).sort());
  });

  test.each(FIELDS)('%s requires exactly its permission, shared or not', (name, field) => {
    const required = REQUIRED[name] ?? null;
    const runs = [field.subscribe ?? field.resolve, sharedStreamPlan(field)].filter((run) => run != null);
    expect(runs.length).toBeGreaterThan(0);
    for (const run of runs) {
      const call = (...permissions: Permission[]): string => {
        try {
          const isShared = run === runs[1];
          // Resolvers of root fields do not use the info.
          const result: unknown = isShared
            ? Reflect.apply(run, null, [{}, context(...permissions)])
            : Reflect.apply(run, null, [null, {}, context(...permissions), null]);
          if (result instanceof Promise) result.catch(() => undefined);
          return '';
        } catch (error) {
          return error instanceof Error ? error.message : '';
        }
      };
      const others = PERMISSIONS.filter((permission) => permission !== required);
      if (required === null) expect(call()).not.toContain('permission');
      else {
        expect(call(...others)).toContain(`"${required}"`);
        expect(call(required)).not.toContain('lacks the permission');
      }
    }
  });

  test('throws when a root field declares no permission', () => {
    const unprotected = buildSchema('type Query { a: Int }');
    expect(() => enforcePermissions(unprotected)).toThrow('Query.a declares no permission');
  });

  test('makes a field of any type null and FORBIDDEN for viewers without its permission', async () => {
    const testSchema = buildSchema(
      'type Query { thing: Thing } type Subscription { thing: Thing } type Thing { plain: Int secret: Int }',
    );
    for (const type of [testSchema.getQueryType(), testSchema.getSubscriptionType()]) {
      for (const field of Object.values(type?.getFields() ?? {})) field.extensions = permissionExtension(null);
    }
    const thing = testSchema.getType('Thing');
    const secret = isObjectType(thing) ? thing.getFields()['secret'] : undefined;
    if (secret === undefined) throw new Error('no such field');
    secret.extensions = permissionExtension('health:read');
    enforcePermissions(testSchema);
    const rootValue = { thing: { plain: 1, secret: 2 } };
    const query = { schema: testSchema, document: parse('{ thing { plain secret } }'), rootValue };
    const answer = await execute({ ...query, contextValue: context('agents:read') });
    expect(answer).toMatchObject({
      data: { thing: { plain: 1, secret: null } },
      errors: [{ path: ['thing', 'secret'] }],
    });
    expect(await execute({ ...query, contextValue: context('health:read') })).toEqual({ data: rootValue });
  });

  test('rejects a subscription before it subscribes to anything', async () => {
    const args: ExecutionArgs = {
      schema,
      document: parse('subscription { notices { code } }'),
      contextValue: context('agents:read'),
    };
    const result = await subscribe(args);
    expect(result).toMatchObject({ errors: [{ originalError: { code: 'FORBIDDEN' } }] });
  });
});
