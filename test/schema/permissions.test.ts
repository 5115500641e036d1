import { buildSchema, execute, type ExecutionArgs, isObjectType, parse, subscribe } from 'graphql';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type Permission, PERMISSIONS } from '../../src/auth/index.js';
import { schema, sharedStreamPlan } from '../../src/schema/index.js';
import { permissionExtension, enforcePermissions } from '../../src/schema/field-extensions.js';

/** As decided, root field by root field: the type that is missing here, or there, is a mistake. */
const REQUIRED: Readonly<Record<string, Permission | null>> = {
  'Query.discovery': 'agents:read',
  'Query.servers': 'health:read',
  'Query.server': 'health:read',
  'Query.swarms': 'agents:read',
  'Query.agents': 'agents:read',
  'Query.agent': 'agents:read',
  'Query.topology': 'agents:read',
  'Query.health': 'health:read',
  'Query.viewer': null,
  'Mutation.callTool': 'tools:call',
  'Mutation.refreshDiscovery': 'agents:read',
  'Mutation.requestAgentUpdate': 'agents:read',
  'Mutation.authenticate': null,
  'Subscription.agentUpdates': 'agents:read',
  'Subscription.topologyChanges': 'agents:read',
  'Subscription.performanceMetrics': 'agents:read',
  'Subscription.healthChanges': 'health:read',
  'Subscription.notices': 'health:read',
};

const FIELDS = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
  Object.values(type?.getFields() ?? {}).map((field) => [`${type?.name ?? ''}.${field.name}`, field] as const),
);

function context(...permissions: Permission[]): object {
  // What is refused never looks at the rest; what is let through fails for lack of it.
  return { viewer: { ...ANONYMOUS_VIEWER, permissions: new Set(permissions) } };
}

describe('permissions', () => {
  test('each root field is in the table', () => {
    expect(FIELDS.map(([name]) => name).sort()).toEqual(Object.keys(REQUIRED).sort());
  });

  test.each(FIELDS)('%s asks for its permission, by itself and when it is shared, and for no other', (name, field) => {
    const required = REQUIRED[name] ?? null;
    const runs = [field.subscribe ?? field.resolve, sharedStreamPlan(field)].filter((run) => run != null);
    expect(runs.length).toBeGreaterThan(0);
    for (const run of runs) {
      const call = (...permissions: Permission[]): string => {
        try {
          const isShared = run === runs[1];
          // Of the info no resolver of a root field uses anything.
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

  test('a root field that does not say what it requires is refused when the schema is made', () => {
    const bare = buildSchema('type Query { a: Int }');
    expect(() => enforcePermissions(bare)).toThrow('Query.a declares no permission');
  });

  test('a field of any type can require one: it is null and FORBIDDEN for who has not, in whatever it is asked', async () => {
    const made = buildSchema(
      'type Query { thing: Thing } type Subscription { thing: Thing } type Thing { plain: Int secret: Int }',
    );
    for (const type of [made.getQueryType(), made.getSubscriptionType()]) {
      for (const field of Object.values(type?.getFields() ?? {})) field.extensions = permissionExtension(null);
    }
    const thing = made.getType('Thing');
    const secret = isObjectType(thing) ? thing.getFields()['secret'] : undefined;
    if (secret === undefined) throw new Error('no such field');
    secret.extensions = permissionExtension('health:read');
    enforcePermissions(made);
    const rootValue = { thing: { plain: 1, secret: 2 } };
    const query = { schema: made, document: parse('{ thing { plain secret } }'), rootValue };
    const answer = await execute({ ...query, contextValue: context('agents:read') });
    expect(answer).toMatchObject({
      data: { thing: { plain: 1, secret: null } },
      errors: [{ path: ['thing', 'secret'] }],
    });
    expect(await execute({ ...query, contextValue: context('health:read') })).toEqual({ data: rootValue });
  });

  test('a subscription is refused before anything is subscribed to', async () => {
    const args: ExecutionArgs = {
      schema,
      document: parse('subscription { notices { code } }'),
      contextValue: context('agents:read'),
    };
    const result = await subscribe(args);
    expect(result).toMatchObject({ errors: [{ originalError: { code: 'FORBIDDEN' } }] });
  });
});
