import fc from 'fast-check';
import { type DocumentNode, execute, type ExecutionArgs, GraphQLError, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type Viewer } from '../../src/auth/index.js';
import { Demand } from '../../src/state/demand.js';
import {
  ActiveStreams,
  CommitWaiter,
  type GroupMember,
  type GroupMembership,
  RateClock,
  resolveRootSelection,
  SubscriptionGroups,
} from '../../src/delivery/index.js';
import { type Agent, MCP_SERVER_TYPES, type Restriction } from '../../src/model/index.js';
import { schema, type SchemaContext, sharedStreamPlan } from '../../src/schema/index.js';
import type { SharedMessage } from '../../src/server/sharing/shared-message.js';
import { ErrorMasker } from '../../src/server/plugins/error-masking.js';
import { SubscriptionSharing } from '../../src/server/sharing/shared-subscriptions.js';
import { AccessScopes, type ScopedServices } from '../../src/access/index.js';
import {
  changesSince,
  createView,
  type CursorPosition,
  matchesAgent,
  restrictView,
  Store,
} from '../../src/state/index.js';
import { recordingLogger } from '../mcp/support.js';
import { EPOCH_TIME, pictureOf } from '../support/arbitraries.js';
import { ManualClock, settled } from '../support/manual-clock.js';

/** All that sharing needs, without sockets. */
class Bench implements Disposable {
  readonly clock = new ManualClock();
  readonly store = new Store({ epoch: 'e', maxTombstones: 100, maxEvents: 3 });
  readonly errors: unknown[] = [];
  readonly log = recordingLogger();
  readonly sharing = new SubscriptionSharing({ threshold: null }, new ErrorMasker(this.log.logger));
  readonly #accessScopes: AccessScopes;
  readonly #seen = new Set<SubscriptionGroups>();

  constructor() {
    const { store, clock } = this;
    const deps = { utilization: () => 0, onError: (error: unknown) => this.errors.push(error) };
    const parts = { store, demand: new Demand(), active: new ActiveStreams(), rateClock: new RateClock(clock) };
    const streams = {
      ...parts,
      commits: new CommitWaiter(store),
      groups: new SubscriptionGroups({ ...parts, ...deps }),
    };
    // There are no MCP servers here.
    const whole = { store, streams } as Partial<ScopedServices> as ScopedServices;
    this.#accessScopes = new AccessScopes({ unrestricted: whole, clock, maxTombstones: 100, maxEvents: 3, ...deps });
    this.#seen.add(streams.groups);
  }

  /** Groups that are shared, and rates that somebody has asked for, of all that is seen. */
  count(what: 'size' | 'tickerCount'): number {
    return [...this.#seen].reduce((sum, groups) => sum + groups[what], 0);
  }

  context(viewer: Viewer): SchemaContext {
    const sight = this.#accessScopes.servicesFor(viewer);
    this.#seen.add(sight.streams.groups);
    // What these resolvers use of it: there are no MCP servers and no sockets here.
    return {
      store: sight.store,
      streams: sight.streams,
      clock: this.clock,
      viewer,
      maxHz: null,
      requestId: 'r',
      reauthenticate: null,
    } as Partial<SchemaContext> as SchemaContext;
  }

  [Symbol.dispose](): void {
    expect({
      groups: this.count('size'),
      lanes: this.count('tickerCount'),
      timers: this.clock.pending,
      errors: this.errors,
    }).toEqual({
      groups: 0,
      lanes: 0,
      timers: 0,
      errors: [],
    });
    this.#accessScopes[Symbol.dispose]();
    for (const groups of this.#seen) groups[Symbol.dispose]();
  }
}

/** A subscription that takes part in sharing, and beside it what it would be told if it ran by itself. */
class Subscriber implements GroupMember<SharedMessage>, Disposable {
  readonly after = null;
  readonly told: unknown[] = [];
  readonly alone: unknown[] = [];
  readonly args: ExecutionArgs;
  readonly #seat: GroupMembership;
  #position: CursorPosition | null = null;

  constructor(bench: Bench, document: DocumentNode, variableValues: Record<string, unknown>, viewer: Viewer) {
    this.args = { schema, document, variableValues, contextValue: bench.context(viewer) };
    const plan = bench.sharing.plan(this.args, bench.context(viewer));
    if (plan === null || plan instanceof GraphQLError) throw new Error(`not shared: ${String(plan?.message)}`);
    this.#seat = plan.join(this);
  }

  canReceive(): boolean {
    return true;
  }

  deliver(message: SharedMessage): void {
    this.told.push(JSON.parse(message.text));
    this.alone.push(this.#runAlone());
  }

  /** As graphql runs each event of a subscription for one subscriber only. */
  #runAlone(): unknown {
    const selection = resolveRootSelection(this.args);
    const plan = selection && sharedStreamPlan(selection.field);
    if (plan == null) throw new Error('not shareable');
    const context = this.args.contextValue as SchemaContext; // as made above
    const { view } = plan(selection?.args ?? {}, context);
    const changes = changesSince(context.store, this.#position, view);
    this.#position = changes.position;
    const rootValue = { changes, rate: { requestedHz: 10, effectiveHz: 10 } };
    const result = execute({ ...this.args, rootValue });
    return JSON.parse(JSON.stringify(result));
  }

  [Symbol.dispose](): void {
    this.#seat[Symbol.dispose]();
  }
}

const FIELDS = [
  'kind',
  'cursor',
  'timestamp',
  'now: timestamp',
  'removedAgentIds',
  'staleServerIds',
  'rate { requestedHz effectiveHz }',
  'agents { id name status }',
  'agents { __typename id lastSeenAt performance { healthScore } ...More }',
  'changed: agents { id capabilities neural { cognitivePattern } topology { role degree } }',
  'patches { id patch }',
  'patches { __typename whole: patch @include(if: $some) id }',
  'performanceMetrics { totalAgents meanHealthScore agentsByStatus { status count } }',
  'topologyChanges { kind swarmId swarm { id topologyName } edges { id from to inferred } removedEdgeIds }',
  '... on AgentUpdate { kind agents { type } }',
  '...Rest @skip(if: $some)',
] as const;

const documents = fc
  .record({
    fields: fc.subarray([...FIELDS], { minLength: 1 }),
    alias: fc.constantFrom('', 'updates: '),
    inline: fc.boolean(),
  })
  .map(({ fields, alias, inline }) => {
    const args = inline ? 'agentTypes: ["coder", "queen"]' : 'agentTypes: $agentTypes, swarmIds: $swarmIds';
    const text = `subscription($some: Boolean!, $agentTypes: [String!], $swarmIds: [ID!]) {
      ${alias}agentUpdates(${args}, includeNeural: $some) { ${fields.join(' ')} ...Never @include(if: false) }
    }
    fragment More on Agent { serverId type neural { adaptations } swarmId @skip(if: $some) }
    fragment Rest on AgentUpdate { cursor agents { ...More } }
    fragment Never on AgentUpdate { kind agents { ...More } ...Rest }`;
    return parse(text);
  });

const variables = fc.record({
  some: fc.boolean(),
  agentTypes: fc.option(fc.subarray(['coder', 'tester', 'queen'])),
  swarmIds: fc.option(fc.subarray(['x:s1', 'x:s2', 'y:s1'])),
});

const restrictions: fc.Arbitrary<Restriction> = fc.record({
  serverIds: fc.option(fc.subarray(['x', 'y'])),
  serverTypes: fc.option(fc.subarray(MCP_SERVER_TYPES.slice(0, 3))),
  agentTypes: fc.option(fc.subarray(['coder', 'tester', 'queen'])),
  swarmIds: fc.constantFrom(null, ['x:s1'], ['y:s1', 'x:s2']),
  performance: fc.boolean(),
  neural: fc.boolean(),
});

const viewers: fc.Arbitrary<Viewer> = fc.oneof(
  fc.constant(ANONYMOUS_VIEWER),
  restrictions.map((restriction): Viewer => ({ ...ANONYMOUS_VIEWER, scope: JSON.stringify(restriction), restriction })),
);

const steps = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('x', 'y').chain((id) => pictureOf(id).map((picture) => ({ picture }))) },
  { weight: 3, arbitrary: fc.constant('tick' as const) },
  { weight: 2, arbitrary: fc.record({ document: documents, variables, viewer: viewers }) },
  { weight: 1, arbitrary: fc.record({ leave: fc.nat(5) }) },
);

/** Ids of all agents and servers in an answer, wherever they stand. */
function idsIn(answer: unknown): Set<string> {
  const ids = JSON.stringify(answer).match(/"[xy]:[a-e]"/g) ?? [];
  return new Set(ids.map((id) => id.slice(1, -1)));
}

describe('sharing', () => {
  test('any viewers, selections, filters and histories: each is told what it would be told alone, and nothing that it may not see', async () => {
    let shared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 30 }), async (history) => {
        using bench = new Bench();
        const subscribers: { subscriber: Subscriber; viewer: Viewer }[] = [];
        const everSeen = new Map<string, Agent[]>();
        for (const step of history) {
          if (step === 'tick') await bench.clock.pass(100);
          else if ('picture' in step) {
            bench.store.commit(bench.store.diff(step.picture, EPOCH_TIME));
            for (const agent of step.picture.agents) everSeen.set(agent.id, [...(everSeen.get(agent.id) ?? []), agent]);
          } else if ('leave' in step) subscribers.splice(step.leave, 1)[0]?.subscriber[Symbol.dispose]();
          else {
            const errors = validate(schema, step.document).map(({ message }) => message);
            expect(errors.filter((message) => !message.includes('never used'))).toEqual([]);
            const subscriber = new Subscriber(bench, step.document, step.variables, step.viewer);
            subscribers.push({ subscriber, viewer: step.viewer });
            await settled();
          }
        }
        await bench.clock.pass(100);
        for (const { subscriber, viewer } of subscribers) {
          expect(subscriber.told).toEqual(subscriber.alone);
          const view = restrictView(createView(), viewer.restriction);
          for (const id of idsIn(subscriber.told)) {
            expect(everSeen.get(id)?.some((agent) => matchesAgent(view, agent))).toBe(true);
          }
          subscriber[Symbol.dispose]();
        }
        shared += subscribers.length - bench.count('size');
      }),
      { numRuns: 150 },
    );
    expect(shared).toBeGreaterThan(0);
  });

  test('subscriptions that differ in blanks, names and inline filters only are one group; another scope is another', async () => {
    using bench = new Bench();
    const other: Viewer = { ...ANONYMOUS_VIEWER, scope: 'other' };
    const one = parse('subscription One { agentUpdates(agentTypes: ["coder", "queen"]) { kind agents { id } } }');
    const two = parse(
      'subscription($t: [String!]) {\n agentUpdates(agentTypes: $t)\n { kind agents { id } } # two\n }',
    );
    using _a = new Subscriber(bench, one, {}, ANONYMOUS_VIEWER);
    using _b = new Subscriber(bench, two, { t: ['queen', 'CODER', 'coder'] }, ANONYMOUS_VIEWER);
    expect(bench.count('size')).toBe(1);
    using _c = new Subscriber(bench, two, { t: ['queen', 'coder'] }, other);
    expect(bench.count('size')).toBe(2);
    using _d = new Subscriber(bench, two, { t: ['queen'] }, ANONYMOUS_VIEWER);
    expect(bench.count('size')).toBe(3);
    await settled();
  });

  test('a resolver error reaches every member as an error beside the data, masked, and ends nobody', async () => {
    using bench = new Bench();
    const document = parse('subscription { agentUpdates { kind timestamp } }');
    const answers: { errors?: unknown[]; data: unknown }[][] = [[], []];
    const crowded = pictureOf('x').filter(({ agents }) => agents.length >= 3);
    let failing = false;
    const clock = {
      now(): number {
        if (failing) throw new Error('a secret');
        return 0;
      },
    };
    const seats = answers.map((told) => {
      // Of the clock, the resolver of `timestamp` uses nothing else.
      const context = { ...bench.context(ANONYMOUS_VIEWER), clock } as SchemaContext;
      const args = { schema, document, contextValue: context };
      const plan = bench.sharing.plan(args, context);
      if (plan === null || plan instanceof GraphQLError) throw new Error('not shared');
      const deliver = ({ text }: SharedMessage): void => {
        told.push(JSON.parse(text) as { errors?: unknown[]; data: unknown }); // a GraphQL result
      };
      return plan.join({ after: null, canReceive: () => true, deliver });
    });
    await settled();
    for (const [index, picture] of fc.sample(crowded, { numRuns: 2, seed: 3 }).entries()) {
      failing = index === 0;
      bench.store.commit(bench.store.diff(picture, EPOCH_TIME));
      await bench.clock.pass(100);
    }
    for (const told of answers) {
      expect(told.map(({ errors }) => errors?.length ?? 0)).toEqual([0, 1, 0]);
      expect(told[1]?.errors).toMatchObject([
        { extensions: { code: 'INTERNAL_SERVER_ERROR' }, path: ['agentUpdates', 'timestamp'] },
      ]);
      // In nobody's request, so with an id of its own, which the log has as well.
      expect(bench.log.lines).toMatchObject([{ fields: { error: expect.stringContaining('a secret') } }]);
      const requestId = bench.log.lines[0]?.fields['requestId'];
      expect(told[1]?.errors).toMatchObject([{ extensions: { requestId } }]);
      expect(told[2]?.data).toMatchObject({ agentUpdates: { kind: 'DELTA' } });
      expect(JSON.stringify(told)).not.toContain('a secret');
    }
    for (const seat of seats) seat[Symbol.dispose]();
  });

  test('1,000 rounds of joining and leaving leave no group, lane, timer or renderer behind', async () => {
    using bench = new Bench();
    const document = parse('subscription($t: [String!]) { agentUpdates(agentTypes: $t) { kind agents { id } } }');
    for (let round = 0; round < 1_000; round += 1) {
      const subscribers = [0, 1, 2].map(
        (which) => new Subscriber(bench, document, { t: [`${round % 7} ${which}`] }, ANONYMOUS_VIEWER),
      );
      if (round % 50 === 0) await settled();
      for (const subscriber of subscribers) subscriber[Symbol.dispose]();
    }
    expect(bench.sharing.rendererCount).toBe(0);
    await settled();
  });
});
