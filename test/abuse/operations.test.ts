import { describe, expect, test } from 'vitest';
import * as client from '@swarmlens/client';
import type { LimitName } from '../../src/server/limits/limit-counters.js';
import type { Limits } from '../../src/config/index.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { Attacker, codeIn, hitsOf, post, postedCodeOf } from './attacker.js';
import { Bystander } from './bystander.js';

const times = (count: number, one: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => one(index)).join(' ');

const nested = (levels: number): string => `${'{ x '.repeat(levels)}${'}'.repeat(levels)}`;
const bombs = times(30, (index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`);

interface Case {
  readonly query: string;
  /** Variables in JSON. @default '{}' */
  readonly variables?: string;
  /** Error code over HTTP and over WebSocket. */
  readonly code: string;
  /** Limit that rejects the operation. Null if the operation is invalid. */
  readonly limit: LimitName | null;
  readonly limits?: Partial<Limits>;
}

const LIMIT = 'LIMIT_EXCEEDED';
const CASES: readonly (readonly [string, Case])[] = [
  ['aliases', { query: `{ ${times(33, (i) => `a${i}: __typename`)} }`, code: LIMIT, limit: 'maxAliases' }],
  [
    'aliases in fragments',
    {
      query: `{ ...F ...G } fragment F on Query { ${times(17, (i) => `a${i}: __typename`)} } fragment G on Query { ${times(17, (i) => `b${i}: __typename`)} }`,
      code: LIMIT,
      limit: 'maxAliases',
    },
  ],
  ['directives', { query: `{ __typename ${'@include(if: true) '.repeat(33)} }`, code: LIMIT, limit: 'maxDirectives' }],
  ['unknown directives', { query: `{ __typename ${'@a '.repeat(33)} }`, code: LIMIT, limit: 'maxDirectives' }],
  ['depth', { query: `query ${nested(14)}`.replace(' }', '}'), code: LIMIT, limit: 'maxDepth' }],
  ['duplicate fields', { query: `{ ${'__typename '.repeat(600)} }`, code: LIMIT, limit: 'maxDuplicateFields' }],
  ['duplicate objects', { query: `{ ${'health { status } '.repeat(200)} }`, code: LIMIT, limit: 'maxDuplicateFields' }],
  [
    'duplicate fields in fragments',
    {
      query: `{ ${times(6, (i) => `...F${i} ... { health { status } }`)} } ${times(6, (i) => `fragment F${i} on Query { health { status } }`)}`,
      code: LIMIT,
      limit: 'maxDuplicateFields',
    },
  ],
  [
    'cost',
    {
      query: `{ ${times(32, (i) => `a${i}: health { servers { id name tools latency { p50Ms p95Ms p99Ms } } }`)} }`,
      code: LIMIT,
      limit: 'maxCost',
      limits: { maxCost: 500 },
    },
  ],
  [
    'duplicate fields below duplicate fields',
    {
      query: `{ ${times(4, () => `health { ${times(4, () => 'servers { id }')} }`)} }`,
      code: LIMIT,
      limit: 'maxDuplicateFields',
    },
  ],
  [
    'fragment cycles with aliases',
    {
      query: `{ health { ...F0 } } ${times(10, (i) => `fragment F${i} on Health { ${times(10, (j) => `a${j}: servers { ...F${j} }`)} }`)}`,
      code: LIMIT,
      limit: 'maxAliases',
    },
  ],
  [
    'fragment cycles without aliases',
    {
      query: `{ ...F0 } ${times(9, (i) => `fragment F${i} on Query { ${times(9, (j) => `f${j} { ...F${j} }`)} }`)}`,
      code: LIMIT,
      limit: 'maxDuplicateFields',
      limits: { maxDepth: 1_000, maxCost: 1_000_000_000 },
    },
  ],
  [
    'fragments of exponential size',
    { query: `{ ...F0 } ${bombs} fragment F30 on Query { __typename }`, code: LIMIT, limit: 'maxCost' },
  ],
  ['tokens', { query: `{ ${'__typename '.repeat(1_000)} }`, code: LIMIT, limit: 'maxDocumentTokens' }],
  ['tokens of nested lists', { query: `{ a(b: ${'['.repeat(2_000)}`, code: LIMIT, limit: 'maxDocumentTokens' }],
  ['bytes', { query: `{ __typename } #${'x'.repeat(16_384)}`, code: LIMIT, limit: 'maxDocumentBytes' }],
  [
    'a cycle of three fragments',
    {
      query: '{ ...A } fragment A on Query { ...B } fragment B on Query { ...C } fragment C on Query { ...A }',
      code: 'BAD_USER_INPUT',
      limit: null,
    },
  ],
  [
    'a nested fragment that contains itself',
    { query: '{ ...A } fragment A on Query { health { servers { ...A } } }', code: 'BAD_USER_INPUT', limit: null },
  ],
  [
    'huge variables',
    {
      query: '{ __typename }',
      variables: `{"a":"${'x'.repeat(254_000)}"}`,
      code: LIMIT,
      limit: 'maxVariablesBytes',
    },
  ],
  [
    'variables of many small values',
    {
      query: '{ __typename }',
      variables: JSON.stringify({ a: new Array(2_000).fill('é') }),
      code: LIMIT,
      limit: 'maxVariablesBytes',
      limits: { maxVariablesBytes: 8_000 },
    },
  ],
  [
    'deep variables',
    {
      query: '{ __typename }',
      variables: `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      code: LIMIT,
      limit: 'maxVariablesDepth',
    },
  ],
  [
    'introspection when it is disabled',
    {
      query: '{ __schema { types { name } } }',
      code: 'FORBIDDEN',
      limit: 'introspection',
      limits: { introspection: false },
    },
  ],
  [
    'introspection of one type when it is disabled',
    {
      query: '{ __type(name: "Agent") { name } }',
      code: 'FORBIDDEN',
      limit: 'introspection',
      limits: { introspection: false },
    },
  ],
];

describe('operation limits', () => {
  test.each(CASES)('reject %s with one code over HTTP, over WebSocket and when repeated', async (_name, options) => {
    const { query, variables = '{}', code, limit, limits = {} } = options;
    await using server = await DeliveryServer.start({}, {}, limits);
    await using bystander = await Bystander.watch(server);
    await using attacker = await Attacker.enter(server);
    const codes = await bystander.during(async () => [
      await postedCodeOf(server, query, variables),
      await attacker.codeOf(query, variables),
      await postedCodeOf(server, query, variables),
    ]);
    expect(codes).toEqual([code, code, code]);
    if (limit !== null) expect(hitsOf(server, limit)).toBe(3);
    // The WebSocket must stay usable.
    attacker.messages.length = 0;
    expect(await attacker.codeOf('{ nonsense }')).toBe('BAD_USER_INPUT');
  });

  test('allow introspection and all operations of the client package', async () => {
    await using server = await DeliveryServer.start();
    const documents = Object.entries(client).filter(([name]) => name.endsWith('Document'));
    expect(documents.length).toBeGreaterThan(10);
    // Operations without their variables are invalid, but must not exceed a limit.
    for (const [name, document] of documents) {
      if (typeof document !== 'string') throw new Error(`${name} is no document`);
      expect([name, await postedCodeOf(server, document)]).not.toEqual([name, LIMIT]);
    }
    expect(
      await postedCodeOf(server, '{ __schema { types { name fields { name type { name ofType { name } } } } } }'),
    ).toBe(undefined);
    expect(await postedCodeOf(server, `{ ${times(32, (i) => `a${i}: __typename`)} }`)).toBe(undefined);
    expect(server.counters.read().filter(({ hits }) => hits > 0)).toEqual([]);
  });

  test('reject batches with 400 over HTTP and 4400 over WebSocket', async () => {
    await using server = await DeliveryServer.start();
    await using bystander = await Bystander.watch(server);
    const batch = new Array(1_000).fill({ query: '{ __typename }' });
    await using attacker = await Attacker.enter(server);
    await bystander.during(async () => {
      const response = await post(server, ` \n${JSON.stringify(batch)}`);
      expect([response.status, codeIn(await response.json())]).toEqual([400, LIMIT]);
      attacker.send({ id: '1', type: 'subscribe', payload: batch });
      expect((await attacker.closed).code).toBe(4400);
    });
    expect(hitsOf(server, 'batch')).toBe(1);
  });

  test('disable GraphiQL when graphiql is false', async () => {
    await using server = await DeliveryServer.start({}, {}, { graphiql: false });
    const response = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } });
    expect([response.ok, await response.text()]).toEqual([false, expect.not.stringContaining('<html')]);
  });

  test('are reported in health with their number of hits', async () => {
    await using server = await DeliveryServer.start();
    await postedCodeOf(server, `{ ${'__typename '.repeat(600)} }`);
    const response = await post(server, JSON.stringify({ query: '{ health { limits { name hits } } }' }));
    const { data } = (await response.json()) as { data: { health: { limits: { name: string; hits: number }[] } } };
    expect(data.health.limits).toEqual(server.counters.read());
    expect(data.health.limits).toContainEqual({ name: 'maxDuplicateFields', hits: 1 });
  });
});
