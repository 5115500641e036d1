import fc from 'fast-check';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import type { ReportedAgent, SwarmlensEvent } from '../../src/domain/index.js';
import { Comparison } from './comparison.js';
import { asked, type RootKind, rootFields } from './selections.js';
import {
  AGENT_IDS,
  changes,
  KINDS,
  noticeOf,
  restrictionOf,
  type Said,
  saidBy,
  SERVER_IDS,
  SWARM_IDS,
} from './worlds.js';
import { runs } from '../support/hostile.js';

/** Each root field of queries with the arguments that it is asked with. */
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  discovery: [''],
  servers: ['', '(types: [RUV_SWARM])'],
  server: SERVER_IDS.map((id) => `(id: "${id}")`),
  swarms: ['', '(serverTypes: [DAA, RUV_SWARM])'],
  agents: ['', '(serverTypes: [DAA], agentTypes: ["coder", "queen"])', `(swarmIds: ["${SWARM_IDS.join('", "')}"])`],
  agent: AGENT_IDS.map((id) => `(id: "${id}")`),
  topology: SWARM_IDS.map((id) => `(swarmId: "${id}")`),
  health: [''],
};

/** All root fields: what is missing here, or there, is a mistake. */
const MATRIX: Readonly<Record<RootKind, readonly string[]>> = {
  // `viewer`, `authenticate`: tell of the viewer, not of the picture.
  Query: [...Object.keys(QUERIES), 'viewer'],
  // See answers.test.ts.
  Mutation: ['callTool', 'requestAgentUpdate', 'refreshDiscovery', 'authenticate'],
  // See listeners.ts.
  Subscription: ['agentUpdates', 'topologyChanges', 'performanceMetrics', 'healthChanges', 'notices'],
};

const EVERYTHING = parse(
  `{ ${Object.entries(QUERIES)
    .flatMap(([name, all]) => all.map((args, index) => `${name}${index}: ${asked('Query', name, args)}`))
    .join('\n')} }`,
);

type Step =
  | { said: Said }
  | { serverId: string; agent: ReportedAgent }
  | { gone: string }
  | { event: SwarmlensEvent }
  | 'compare'
  | 'listen'
  | 'resume';

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...SERVER_IDS).chain((id) => saidBy(id).map((said) => ({ said }))) },
  { weight: 6, arbitrary: changes },
  { weight: 1, arbitrary: fc.constantFrom(...SERVER_IDS).map((gone) => ({ gone })) },
  { weight: 1, arbitrary: fc.constant({ event: noticeOf('CONFIG_APPLIED', 'added srv-y', null) }) },
  { weight: 4, arbitrary: fc.constant('compare' as const) },
  { weight: 1, arbitrary: fc.constant('listen' as const) },
  { weight: 2, arbitrary: fc.constant('resume' as const) },
);

describe('what a viewer is told', () => {
  test.each(['Query', 'Mutation', 'Subscription'] as const)('each field of %s is in the matrix', (kind) => {
    expect(
      rootFields(kind)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...MATRIX[kind]].sort());
  });

  test.each(Object.entries(KINDS))(
    'restricted by %s: every query, snapshot, delta, removal, total, edge, event and resumption is as if nothing else had ever been there',
    async (_name, kind) => {
      await fc.assert(
        fc.asyncProperty(
          restrictionOf(kind),
          fc.array(steps, { minLength: 6, maxLength: 30 }),
          async (restriction, history) => {
            await using comparison = new Comparison(restriction, EVERYTHING);
            for (const step of history) {
              if (step === 'compare') await comparison.compare();
              else if (step === 'listen') await comparison.listen();
              else if (step === 'resume') await comparison.resume();
              else if ('said' in step) comparison.say(step.said);
              else if ('agent' in step) comparison.change(step.serverId, step.agent);
              else if ('gone' in step) comparison.remove(step.gone);
              else comparison.happen(step.event);
            }
            await comparison.resume();
            await comparison.compare();
            await comparison.compareWithNewcomer();
          },
        ),
        runs(10),
      );
    },
  );
});
