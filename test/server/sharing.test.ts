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
import { type Agent, MCP_SERVER_TYPES, parseServerId, type Restriction } from '../../src/model/index.js';
import { schema, type SchemaContext, sharedStreamPlan, SliceTurns } from '../../src/schema/index.js';
import type { SharedMessage } from '../../src/server/sharing/shared-message.js';
import { ErrorMasker } from '../../src/server/plugins/error-masking.js';
import { SubscriptionSharing } from '../../src/server/sharing/shared-subscriptions.js';
import { AccessScopes, type ScopedServices } from '../../src/access/index.js';
import {
  changesSince,
  createView,
  type CursorPosition,
  matchesAgent,
  matchesServer,
  restrictView,
  showsAllAgentsOf,
  Store,
} from '../../src/state/index.js';
import { recordingLogger } from '../mcp/support.js';
import { EPOCH_TIME, serverOf, serverSnapshotOf } from '../support/arbitraries.js';
import { ManualClock, settled } from '../support/manual-clock.js';

const UNLIMITED = { maxValues: Infinity, onExceeded: () => undefined };

/** SubscriptionSharing with access scopes and a manual clock, without sockets. */
class SharingSetup implements Disposable {
  readonly clock = new ManualClock();
  readonly store = new Store({ epoch: 'e', maxTombstones: 100, maxEvents: 3 });
  readonly errors: unknown[] = [];
  readonly log = recordingLogger();
  readonly sharing = new SubscriptionSharing(
    { threshold: null },
    new ErrorMasker(this.log.logger),
    { ...UNLIMITED, turns: new SliceTurns() },
    UNLIMITED,
  );
  readonly #accessScopes: AccessScopes;
  readonly #groups = new Set<SubscriptionGroups>();

  constructor() {
    const { store, clock } = this;
    const deps = { utilization: () => 0, onError: (error: unknown) => this.errors.push(error) };
    const parts = { store, demand: new Demand(), active: new ActiveStreams(), rateClock: new RateClock(clock) };
    const streams = {
      ...parts,
      commits: new CommitWaiter(store),
      groups: new SubscriptionGroups({ ...parts, ...deps }),
    };
    // Upstream servers are not used.
    const unrestricted = { store, streams } as Partial<ScopedServices> as ScopedServices;
    this.#accessScopes = new AccessScopes({ unrestricted, clock, maxTombstones: 100, maxEvents: 3, ...deps });
    this.#groups.add(streams.groups);
  }

  /** Returns the number of subscription groups or tickers of all access scopes. */
  count(property: 'size' | 'tickerCount'): number {
    return [...this.#groups].reduce((sum, groups) => sum + groups[property], 0);
  }

  context(viewer: Viewer): SchemaContext {
    const services = this.#accessScopes.servicesFor(viewer);
    this.#groups.add(services.streams.groups);
    // The resolvers of agentUpdates use nothing else.
    return {
      store: services.store,
      streams: services.streams,
      clock: this.clock,
      viewer,
      rateLimit: null,
      requestId: 'r',
      reauthenticate: null,
      answer: null,
    } as Partial<SchemaContext> as SchemaContext;
  }

  [Symbol.dispose](): void {
    expect({
      groups: this.count('size'),
      tickers: this.count('tickerCount'),
      timers: this.clock.pending,
      errors: this.errors,
    }).toEqual({
      groups: 0,
      tickers: 0,
      timers: 0,
      errors: [],
    });
    this.#accessScopes[Symbol.dispose]();
    for (const groups of this.#groups) groups[Symbol.dispose]();
  }
}

/** Member of a subscription group that also executes its subscription unshared for comparison. */
class Subscriber implements GroupMember<SharedMessage>, Disposable {
  readonly after = null;
  readonly received: unknown[] = [];
  readonly unshared: unknown[] = [];
  readonly args: ExecutionArgs;
  readonly #membership: GroupMembership;
  #position: CursorPosition | null = null;

  constructor(setup: SharingSetup, document: DocumentNode, variableValues: Record<string, unknown>, viewer: Viewer) {
    this.args = { schema, document, variableValues, contextValue: setup.context(viewer) };
    const plan = setup.sharing.plan(this.args, setup.context(viewer));
    if (plan === null || plan instanceof GraphQLError) throw new Error(`not shared: ${String(plan?.message)}`);
    this.#membership = plan.join(this);
  }

  canReceive(): boolean {
    return true;
  }

  deliver(message: SharedMessage): void {
    this.received.push(JSON.parse(message.text));
    this.unshared.push(this.#executeUnshared());
  }

  /** Executes the event as graphql does for one subscription. */
  #executeUnshared(): unknown {
    const selection = resolveRootSelection(this.args);
    const plan = selection && sharedStreamPlan(selection.field);
    if (plan == null) throw new Error('not shareable');
    const context = this.args.contextValue as SchemaContext; // created in the constructor
    const { view } = plan(selection?.args ?? {}, context);
    const changes = changesSince(context.store, this.#position, view);
    this.#position = changes.position;
    const rootValue = { changes, rate: { requestedHz: 10, effectiveHz: 10 } };
    const result = execute({ ...this.args, rootValue });
    return JSON.parse(JSON.stringify(result));
  }

  [Symbol.dispose](): void {
    this.#membership[Symbol.dispose]();
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
  {
    weight: 3,
    arbitrary: fc.constantFrom('x', 'y').chain((id) => serverSnapshotOf(id).map((snapshot) => ({ snapshot }))),
  },
  { weight: 3, arbitrary: fc.constant('tick' as const) },
  { weight: 2, arbitrary: fc.record({ document: documents, variables, viewer: viewers }) },
  { weight: 1, arbitrary: fc.record({ leave: fc.nat(5) }) },
);

/** Returns the ids of all agents in an answer. */
function idsIn(answer: unknown): Set<string> {
  const ids = JSON.stringify(answer).match(/"[xy]:[a-e]"/g) ?? [];
  return new Set(ids.map((id) => id.slice(1, -1)));
}

describe('shared subscriptions', () => {
  test('for any viewers, selections, filters and histories: each viewer receives exactly its unshared result', async () => {
    let shared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 30 }), async (history) => {
        using setup = new SharingSetup();
        const subscribers: { subscriber: Subscriber; viewer: Viewer }[] = [];
        const everSeen = new Map<string, Agent[]>();
        for (const step of history) {
          if (step === 'tick') await setup.clock.pass(100);
          else if ('snapshot' in step) {
            setup.store.commit(setup.store.diff(step.snapshot, EPOCH_TIME));
            for (const agent of step.snapshot.agents)
              everSeen.set(agent.id, [...(everSeen.get(agent.id) ?? []), agent]);
          } else if ('leave' in step) subscribers.splice(step.leave, 1)[0]?.subscriber[Symbol.dispose]();
          else {
            const errors = validate(schema, step.document).map(({ message }) => message);
            expect(errors.filter((message) => !message.includes('never used'))).toEqual([]);
            const subscriber = new Subscriber(setup, step.document, step.variables, step.viewer);
            subscribers.push({ subscriber, viewer: step.viewer });
            await settled();
          }
        }
        await setup.clock.pass(100);
        for (const { subscriber, viewer } of subscribers) {
          expect(subscriber.received).toEqual(subscriber.unshared);
          const view = restrictView(createView(), viewer.restriction);
          for (const id of idsIn(subscriber.received)) {
            const server = serverOf(parseServerId(id) ?? '');
            // Viewers who see all agents also see references to agents that were never reported.
            const isVisible = matchesServer(view, server) && showsAllAgentsOf(view, server);
            expect(isVisible || everSeen.get(id)?.some((agent) => matchesAgent(view, agent))).toBe(true);
          }
          subscriber[Symbol.dispose]();
        }
        shared += subscribers.length - setup.count('size');
      }),
      { numRuns: 150 },
    );
    expect(shared).toBeGreaterThan(0);
  });

  test('share a group when they differ in white space, names and inline filters, but not across access scopes', async () => {
    using setup = new SharingSetup();
    const other: Viewer = { ...ANONYMOUS_VIEWER, scope: 'other' };
    const inline = parse('subscription One { agentUpdates(agentTypes: ["coder", "queen"]) { kind agents { id } } }');
    const withVariable = parse(
      'subscription($t: [String!]) {\n agentUpdates(agentTypes: $t)\n { kind agents { id } } # comment\n }',
    );
    using _a = new Subscriber(setup, inline, {}, ANONYMOUS_VIEWER);
    using _b = new Subscriber(setup, withVariable, { t: ['queen', 'CODER', 'coder'] }, ANONYMOUS_VIEWER);
    expect(setup.count('size')).toBe(1);
    using _c = new Subscriber(setup, withVariable, { t: ['queen', 'coder'] }, other);
    expect(setup.count('size')).toBe(2);
    using _d = new Subscriber(setup, withVariable, { t: ['queen'] }, ANONYMOUS_VIEWER);
    expect(setup.count('size')).toBe(3);
    await settled();
  });

  test('send a masked resolver error to every member and continue', async () => {
    using setup = new SharingSetup();
    const document = parse('subscription { agentUpdates { kind timestamp } }');
    const answers: { errors?: unknown[]; data: unknown }[][] = [[], []];
    const crowded = serverSnapshotOf('x').filter(({ agents }) => agents.length >= 3);
    let failing = false;
    const clock = {
      now(): number {
        if (failing) throw new Error('a secret');
        return 0;
      },
    };
    const memberships = answers.map((received) => {
      // The resolver of `timestamp` uses nothing else of the clock.
      const context = { ...setup.context(ANONYMOUS_VIEWER), clock } as SchemaContext;
      const args = { schema, document, contextValue: context };
      const plan = setup.sharing.plan(args, context);
      if (plan === null || plan instanceof GraphQLError) throw new Error('not shared');
      const deliver = ({ text }: SharedMessage): void => {
        received.push(JSON.parse(text) as { errors?: unknown[]; data: unknown }); // a GraphQL result
      };
      return plan.join({ after: null, canReceive: () => true, deliver });
    });
    await settled();
    for (const [index, snapshot] of fc.sample(crowded, { numRuns: 2, seed: 3 }).entries()) {
      failing = index === 0;
      setup.store.commit(setup.store.diff(snapshot, EPOCH_TIME));
      await setup.clock.pass(100);
    }
    for (const received of answers) {
      expect(received.map(({ errors }) => errors?.length ?? 0)).toEqual([0, 1, 0]);
      expect(received[1]?.errors).toMatchObject([
        { extensions: { code: 'INTERNAL_SERVER_ERROR' }, path: ['agentUpdates', 'timestamp'] },
      ]);
      // The error concerns all members and has its own request id, which is logged.
      expect(setup.log.lines).toMatchObject([{ fields: { error: expect.stringContaining('a secret') } }]);
      const requestId = setup.log.lines[0]?.fields['requestId'];
      expect(received[1]?.errors).toMatchObject([{ extensions: { requestId } }]);
      expect(received[2]?.data).toMatchObject({ agentUpdates: { kind: 'DELTA' } });
      expect(JSON.stringify(received)).not.toContain('a secret');
    }
    for (const membership of memberships) membership[Symbol.dispose]();
  });

  test('leave no group, ticker, timer or renderer behind after 1,000 rounds of joining and leaving', async () => {
    using setup = new SharingSetup();
    const document = parse('subscription($t: [String!]) { agentUpdates(agentTypes: $t) { kind agents { id } } }');
    for (let round = 0; round < 1_000; round += 1) {
      const subscribers = [0, 1, 2].map(
        (which) => new Subscriber(setup, document, { t: [`${round % 7} ${which}`] }, ANONYMOUS_VIEWER),
      );
      if (round % 50 === 0) await settled();
      for (const subscriber of subscribers) subscriber[Symbol.dispose]();
    }
    expect(setup.sharing.rendererCount).toBe(0);
    await settled();
  });
});
