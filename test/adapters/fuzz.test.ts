import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CLAUDE_FLOW_OBSERVERS } from '../../src/adapters/claude-flow-observed.js';
import { RUV_SWARM_OBSERVERS } from '../../src/adapters/ruv-swarm-observed.js';
import type { McpServerType } from '../../src/domain/index.js';
import { type Answer, DAA_ANSWERS, FLOW_ANSWERS, recorded, recordedCalls, rigOf, RUV_ANSWERS } from './fake-server.js';
import { mutationOf, runs } from '../support/hostile.js';
import { assertSound } from './spoilt.js';

type Answers = Readonly<Record<string, Answer>>;

/** The answers to spoil; where the whole ones depend on the arguments, one of them. */
const SERVERS: readonly (readonly [McpServerType, Answers, Answers])[] = [
  [
    'CLAUDE_FLOW',
    FLOW_ANSWERS,
    { ...FLOW_ANSWERS, daa_cognitive_pattern: recorded('claude-flow', 'daa_cognitive_pattern.one') },
  ],
  ['RUV_SWARM', RUV_ANSWERS, { ...RUV_ANSWERS, agent_list: recorded('ruv-swarm', 'agent_list.bySwarm1') }],
  ['DAA', DAA_ANSWERS, DAA_ANSWERS],
];

test.each(SERVERS)('whatever JSON a %s server answers, a poll makes a sound report of it', async (type, answers) => {
  const anyAnswers = fc.record(Object.fromEntries(Object.keys(answers).map((tool) => [tool, fc.jsonValue()])));
  await fc.assert(
    fc.asyncProperty(anyAnswers, async (given) => assertSound(await rigOf(type, given).poll())),
    runs(50),
  );
});

test.each(SERVERS)(
  "a %s server's answers, spoilt anyhow and then whole again, make sound reports",
  async (type, answers, toSpoil) => {
    const spoilt = fc.record(
      Object.fromEntries(Object.entries(toSpoil).map(([tool, answer]) => [tool, mutationOf(answer)])),
    );
    const whole = await rigOf(type, answers).poll();
    await fc.assert(
      fc.asyncProperty(spoilt, async (given) => {
        const rig = rigOf(type, given);
        assertSound(await rig.poll());
        rig.clock.advance(100);
        assertSound(await rig.poll());
        for (const [tool, answer] of Object.entries(answers)) rig.server.answers.set(tool, answer);
        // Past every pause after a failure.
        for (let again = 0; again < 4; again += 1) {
          rig.clock.advance(60_000);
          assertSound(await rig.poll());
        }
        const healed = await rig.poll();
        expect(healed.failures).toEqual([]);
        expect(healed.agents.map((agent) => agent.nativeId)).toEqual(whole.agents.map((agent) => agent.nativeId));
        expect(healed.swarms).toEqual(whole.swarms);
      }),
      runs(40),
    );
  },
);

test.each([
  ['CLAUDE_FLOW', FLOW_ANSWERS, recordedCalls('claude-flow').filter(({ tool }) => CLAUDE_FLOW_OBSERVERS.has(tool))],
  ['RUV_SWARM', RUV_ANSWERS, recordedCalls('ruv-swarm').filter(({ tool }) => RUV_SWARM_OBSERVERS.has(tool))],
] as const)(
  "whatever a %s server's answers to somebody else are, what is seen of them makes sound reports",
  async (type, answers, calls) => {
    const whole = await rigOf(type, answers).poll();
    const spoilt = fc.constantFrom(...calls).chain((call) =>
      fc.record({
        kind: fc.constant('CALL' as const),
        tool: fc.constant(call.tool),
        args: fc.oneof(fc.constant({ ...call.args }), fc.dictionary(fc.constantFrom(...ARGUMENTS), fc.jsonValue())),
        answer: fc.record({
          isError: fc.boolean(),
          value: fc.oneof({ weight: 4, arbitrary: mutationOf(call.answer.value) }, fc.jsonValue()),
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(spoilt, { maxLength: 6 }), async (pushes) => {
        const rig = rigOf(type, answers);
        for (const push of pushes.slice(0, 2)) expect(rig.adapter.observe(push)).toBeNull();
        assertSound(await rig.poll());
        for (const push of pushes) {
          const report = rig.adapter.observe(push);
          if (report !== null) assertSound(report);
        }
        rig.clock.advance(1000);
        const healed = await rig.poll();
        assertSound(healed);
        expect(healed.failures).toEqual([]);
        expect(healed.agents.map((agent) => agent.nativeId)).toEqual(whole.agents.map((agent) => agent.nativeId));
        expect(healed.swarms).toEqual(whole.swarms);
      }),
      runs(40),
    );
  },
);

/** Names of arguments that say which part of a list is asked for. */
const ARGUMENTS = ['swarmId', 'agentId', 'taskId', 'filter', 'limit', 'verbose', 'detailed', 'action', 'agentType'];
