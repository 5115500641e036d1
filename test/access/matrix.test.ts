import fc from 'fast-check';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import type { ReportedAgent, ReportedTask, SwarmlensEvent } from '../../src/model/index.js';
import { Comparison } from './compare-viewers.js';
import { selectAll, type RootKind, rootFields } from './selections.js';
import {
  AGENT_IDS,
  changes,
  RESTRICTION_KINDS,
  createNotice,
  taskChanges,
  toRestriction,
  type RawServerState,
  serverStates,
  SERVER_IDS,
  SWARM_IDS,
} from './generated-states.js';
import { runs } from '../support/fuzz-inputs.js';

/** Arguments with which each root field of queries is selected. */
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  discovery: [''],
  servers: ['', '(types: [RUV_SWARM])'],
  server: SERVER_IDS.map((id) => `(id: "${id}")`),
  swarms: ['', '(serverTypes: [DAA, RUV_SWARM])'],
  agents: ['', '(serverTypes: [DAA], agentTypes: ["coder", "queen"])', `(swarmIds: ["${SWARM_IDS.join('", "')}"])`],
  agent: AGENT_IDS.map((id) => `(id: "${id}")`),
  topology: SWARM_IDS.map((id) => `(swarmId: "${id}")`),
  health: [''],
  tasks: [
    '',
    '(serverTypes: [DAA], statuses: [PENDING, COMPLETED])',
    `(swarmIds: ["${SWARM_IDS.join('", "')}"])`,
    `(agentIds: ["${AGENT_IDS.slice(0, 3).join('", "')}"])`,
  ],
};

/** Queries that follow the links of their items. */
const LINKED: ReadonlySet<string> = new Set(['agent', 'swarms']);

/** All root fields of the schema. A missing field fails the test. */
const MATRIX: Readonly<Record<RootKind, readonly string[]>> = {
  // `viewer`, `authenticate` and `setMaxHz` return no state. notices.test.ts covers `notices`.
  Query: [...Object.keys(QUERIES), 'viewer', 'notices'],
  // Covered by unknown-ids.test.ts.
  Mutation: ['callTool', 'requestAgentUpdate', 'refreshDiscovery', 'authenticate', 'setMaxHz'],
  // Covered by subscribers.ts.
  Subscription: [
    ...['agentUpdates', 'taskUpdates', 'topologyChanges', 'performanceMetrics'],
    ...['healthChanges', 'notices', 'agentMessages'],
  ],
};

const EVERYTHING = parse(
  `{ ${Object.entries(QUERIES)
    .flatMap(([name, all]) =>
      all.map((args, index) => `${name}${index}: ${selectAll('Query', name, args, LINKED.has(name) ? 1 : 0)}`),
    )
    .join('\n')} }`,
);

type Step =
  | { state: RawServerState }
  | { serverId: string; agent: ReportedAgent }
  | { serverId: string; task: ReportedTask }
  | { gone: string }
  | { event: SwarmlensEvent }
  | 'compare'
  | 'listen'
  | 'resume';

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...SERVER_IDS).chain((id) => serverStates(id).map((state) => ({ state }))) },
  { weight: 6, arbitrary: changes },
  { weight: 4, arbitrary: taskChanges },
  { weight: 1, arbitrary: fc.constantFrom(...SERVER_IDS).map((gone) => ({ gone })) },
  { weight: 1, arbitrary: fc.constant({ event: createNotice('CONFIG_APPLIED', 'added srv-y', null) }) },
  { weight: 4, arbitrary: fc.constant('compare' as const) },
  { weight: 1, arbitrary: fc.constant('listen' as const) },
  { weight: 2, arbitrary: fc.constant('resume' as const) },
);

describe('access scopes', () => {
  test.each(['Query', 'Mutation', 'Subscription'] as const)('are tested for each field of %s', (kind) => {
    expect(
      rootFields(kind)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...MATRIX[kind]].sort());
  });

  test.each(Object.entries(RESTRICTION_KINDS))(
    'for any state and history restricted by %s: queries and streams equal those of a server without the hidden items',
    async (_name, kind) => {
      await fc.assert(
        fc.asyncProperty(
          toRestriction(kind),
          fc.array(steps, { minLength: 6, maxLength: 30 }),
          async (restriction, history) => {
            await using comparison = new Comparison(restriction, EVERYTHING);
            for (const step of history) {
              if (step === 'compare') await comparison.compare();
              else if (step === 'listen') await comparison.listen();
              else if (step === 'resume') await comparison.resume();
              else if ('state' in step) comparison.applyState(step.state);
              else if ('agent' in step) comparison.change(step.serverId, step.agent);
              else if ('task' in step) comparison.changeTask(step.serverId, step.task);
              else if ('gone' in step) comparison.remove(step.gone);
              else comparison.emitEvent(step.event);
            }
            await comparison.resume();
            await comparison.compare();
            await comparison.compareWithNewScope();
          },
        ),
        runs(10),
      );
    },
  );
});
