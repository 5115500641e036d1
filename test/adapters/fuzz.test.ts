import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CLAUDE_FLOW_OBSERVERS } from '../../src/adapters/claude-flow/observers.js';
import { RUV_SWARM_OBSERVERS } from '../../src/adapters/ruv-swarm/observers.js';
import type { McpServerType } from '../../src/model/index.js';
import { withoutObservedFacts } from './observed-calls.js';
import { type Answer, DAA_ANSWERS, FLOW_ANSWERS, recorded, recordedCalls, rigOf, RUV_ANSWERS } from './fake-server.js';
import { mutationOf, runs } from '../support/fuzz-inputs.js';
import { assertSound } from './corrupt-responses.js';

type Answers = Readonly<Record<string, Answer>>;

/** Responses to corrupt. One of them if the valid ones depend on the arguments. */
const SERVERS: readonly (readonly [McpServerType, Answers, Answers])[] = [
  [
    'CLAUDE_FLOW',
    FLOW_ANSWERS,
    { ...FLOW_ANSWERS, daa_cognitive_pattern: recorded('claude-flow', 'daa_cognitive_pattern.one') },
  ],
  ['RUV_SWARM', RUV_ANSWERS, { ...RUV_ANSWERS, agent_list: recorded('ruv-swarm', 'agent_list.bySwarm1') }],
  ['DAA', DAA_ANSWERS, DAA_ANSWERS],
];

test.each(SERVERS)('for any JSON responses of a %s server: a poll returns a valid report', async (type, answers) => {
  const anyAnswers = fc.record(Object.fromEntries(Object.keys(answers).map((tool) => [tool, fc.jsonValue()])));
  await fc.assert(
    fc.asyncProperty(anyAnswers, async (given) => assertSound(await rigOf(type, given).poll())),
    runs(50),
  );
});

test.each(SERVERS)(
  'for any corrupt responses of a %s server: reports are valid, and complete again after valid responses',
  async (type, answers, toCorrupt) => {
    const corrupt = fc.record(
      Object.fromEntries(Object.entries(toCorrupt).map(([tool, answer]) => [tool, mutationOf(answer)])),
    );
    const whole = await rigOf(type, answers).poll();
    await fc.assert(
      fc.asyncProperty(corrupt, async (given) => {
        const rig = rigOf(type, given);
        assertSound(await rig.poll());
        rig.clock.advance(100);
        assertSound(await rig.poll());
        for (const [tool, answer] of Object.entries(answers)) rig.server.answers.set(tool, answer);
        // Longer than the longest backoff.
        for (let again = 0; again < 4; again += 1) {
          rig.clock.advance(60_000);
          assertSound(await rig.poll());
        }
        const recovered = await rig.poll();
        expect(recovered.failures).toEqual([]);
        expect(recovered.agents.map((agent) => agent.nativeId)).toEqual(whole.agents.map((agent) => agent.nativeId));
        expect(recovered.swarms).toEqual(whole.swarms);
      }),
      runs(40),
    );
  },
);

test.each([
  ['CLAUDE_FLOW', FLOW_ANSWERS, recordedCalls('claude-flow').filter(({ tool }) => CLAUDE_FLOW_OBSERVERS.has(tool))],
  ['RUV_SWARM', RUV_ANSWERS, recordedCalls('ruv-swarm').filter(({ tool }) => RUV_SWARM_OBSERVERS.has(tool))],
] as const)(
  'for any observed calls of a %s server: reports are valid, and the next poll is unaffected',
  async (type, answers, calls) => {
    const whole = await rigOf(type, answers).poll();
    const corrupt = fc.constantFrom(...calls).chain((call) =>
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
      fc.asyncProperty(fc.array(corrupt, { maxLength: 6 }), async (pushes) => {
        const rig = rigOf(type, answers);
        for (const push of pushes.slice(0, 2)) expect(rig.adapter.observe(push)).toBeNull();
        assertSound(await rig.poll());
        for (const push of pushes) {
          const report = rig.adapter.observe(push);
          if (report !== null) assertSound(report);
        }
        rig.clock.advance(1000);
        const recovered = withoutObservedFacts(type, await rig.poll());
        assertSound(recovered);
        expect(recovered.failures).toEqual([]);
        expect(recovered.agents.map((agent) => agent.nativeId)).toEqual(whole.agents.map((agent) => agent.nativeId));
        expect(recovered.swarms).toEqual(whole.swarms);
      }),
      runs(40),
    );
  },
);

/** Names of arguments that select a part of a list. */
const ARGUMENTS = ['swarmId', 'agentId', 'taskId', 'filter', 'limit', 'verbose', 'detailed', 'action', 'agentType'];
