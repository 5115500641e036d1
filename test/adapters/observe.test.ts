import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerReport } from '../../src/model/index.js';
import {
  agentIn,
  DAA_ANSWERS,
  FLOW_ANSWERS,
  recorded,
  recordedCall,
  recordedCalls,
  type Recorder,
  type Rig,
  rigOf,
  RUV_ANSWERS,
} from './fake-server.js';
import { callOf, idsIn, polled, seen, withoutObservedFacts } from './observed-calls.js';
import { assertSound } from './corrupt-responses.js';
import { runs } from '../support/fuzz-inputs.js';

const SERVERS = [
  ['RUV_SWARM', 'ruv-swarm', RUV_ANSWERS],
  ['CLAUDE_FLOW', 'claude-flow', FLOW_ANSWERS],
] as const;

describe.each(SERVERS)('a %s server', (type, recorder, answers) => {
  test('returns no report before the first poll', async () => {
    const rig = rigOf(type, answers);
    for (const call of recordedCalls(recorder)) expect(rig.adapter.observe(call)).toBeNull();

    rig.clock.advance(1000);
    expect(withoutObservedFacts(type, await rig.poll())).toEqual(await rigOf(type, answers).poll());
  });

  test('returns no report for notifications and other tools', async () => {
    const rig = await polled(type, answers);

    expect(rig.adapter.observe({ kind: 'NOTIFICATION', method: 'agent_spawn', params: {} })).toBeNull();
    for (const tool of ['__proto__', 'constructor', 'no_such_tool', 'memory_usage', 'neural_status']) {
      expect(rig.adapter.observe(callOf(tool, {}, recorded(recorder, 'agent_list')))).toBeNull();
    }
    expect(rig.adapter.rejectedCount).toBe(0);
  });

  test('returns no report for a failed call of any form', async () => {
    const rig = await polled(type, answers);
    const failed = recordedCalls(recorder).filter(({ answer }) => answer.isError);
    for (const call of failed) expect(rig.adapter.observe(call)).toBeNull();
    for (const call of recordedCalls(recorder)) {
      const value = call.answer.value as object; // every recorded tool answers with an object
      for (const failure of [{ success: false }, { status: 'not_found' }, { error: 'no' }]) {
        const answer = { isError: false, value: { ...value, ...failure } };
        expect(rig.adapter.observe({ ...call, answer })).toBeNull();
      }
      expect(rig.adapter.observe({ ...call, answer: { isError: true, value } })).toBeNull();
    }
    expect(rig.adapter.rejectedCount).toBe(0);
  });

  test.each(['agent_list', 'agent_spawn', 'swarm_status', 'swarm_init'])(
    'counts a malformed result of %s and returns no report',
    async (tool) => {
      const rig = await polled(type, answers);

      expect(rig.adapter.observe(callOf(tool, {}, 'spawned!'))).toBeNull();
      expect(rig.adapter.rejectedCount).toBeGreaterThan(0);
      expect(rig.adapter.lastRejection).toMatch(new RegExp(`^${tool} answer`));
      expect(rig.adapter.lastRejection).not.toContain('spawned!');
    },
  );

  test('applies the agent list that another client requests', async () => {
    const rig = await polled(type, answers);
    const report = seen(rig, recordedCall(recorder, 'agent_list'));

    const changed = { ...answers, agent_list: recorded(recorder, 'agent_list') };
    expect(idsIn(report)).toEqual(idsIn(await rigOf(type, changed).poll()));
  });

  test('ignores a filtered list', async () => {
    const rig = await polled(type, answers);
    const filters = [{ filter: 'idle' }, { status: 'busy' }, { domain: 'x' }, { includeTerminated: true }, { what: 1 }];
    for (const args of filters) expect(rig.adapter.observe(callOf('agent_list', args, { agents: [] }))).toBeNull();
  });

  test('for any calls, polls and failures: a later poll returns the same as without observations', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...recordedCalls(recorder)) },
      { weight: 1, arbitrary: fc.constant('poll' as const) },
      { weight: 1, arbitrary: fc.constant('failing poll' as const) },
    );
    const expected = await inTheEnd(rigOf(type, answers));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(200)), { maxLength: 20 }), async (steps) => {
        const rig = rigOf(type, answers);
        for (const [what, afterMs] of steps) {
          if (typeof what === 'object') {
            const report = rig.adapter.observe(what);
            if (report !== null) assertSound(report);
          } else {
            const failing = what === 'failing poll' ? { agent_list: 'no', task_list: 'no', swarm_status: 'no' } : {};
            for (const [tool, answer] of Object.entries({ ...answers, ...failing }))
              rig.server.answers.set(tool, answer);
            assertSound(await rig.poll());
          }
          rig.clock.advance(afterMs);
        }
        for (const [tool, answer] of Object.entries(answers)) rig.server.answers.set(tool, answer);
        expect(withoutObservedFacts(type, await inTheEnd(rig))).toEqual(expected);
      }),
      runs(40),
    );
  });

  test('for any observed changes: the next poll calls the affected tools', async () => {
    const lists = new Set(Object.keys(answers));
    const changes = recordedCalls(recorder).filter(({ tool }) => !lists.has(tool));
    const expected = await rigOf(type, answers).poll();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...changes), { maxLength: 20 }), async (calls) => {
        const rig = await polled(type, answers);
        for (const call of calls) rig.adapter.observe(call);
        expect(withoutObservedFacts(type, await rig.poll())).toEqual(expected);
      }),
      runs(40),
    );
  });
});

/** Returns the report after all minimum intervals and backoffs have passed. */
async function inTheEnd(rig: Rig): Promise<ServerReport> {
  for (let poll = 0; poll < 3; poll += 1) {
    rig.clock.advance(61_000);
    await rig.poll();
  }
  return rig.poll();
}

test('PolledTool keeps a spawned agent when an older list arrives later', async () => {
  const rig = await polled('RUV_SWARM', RUV_ANSWERS);
  let answerList: (value: unknown) => void = () => undefined;
  rig.server.answers.set('agent_list', () => new Promise((resolve) => (answerList = resolve)));
  const poll = rig.poll();
  await new Promise((resolve) => setImmediate(resolve));
  seen(rig, recordedCall('ruv-swarm', 'agent_spawn'));
  rig.server.answers.set('agent_list', RUV_ANSWERS.agent_list);
  answerList(RUV_ANSWERS.agent_list({}));

  expect(idsIn(await poll)).toContain('agent-1795446110466');
  expect(idsIn(await rig.poll())).not.toContain('agent-1795446110466');
});

test('PolledTool removes an ended agent although other agents are spawned during every poll', async () => {
  const rig = await polled('RUV_SWARM', RUV_ANSWERS);
  const pollDuringSpawn = async (spawn: string): Promise<string[]> => {
    rig.server.answers.set('agent_list', async (args: Readonly<Record<string, unknown>>) => {
      if (args['swarmId'] !== undefined) return { agents: [] };
      await Promise.resolve();
      seen(rig, recordedCall('ruv-swarm', spawn));
      return { agents: [{ id: 'agent-other' }] };
    });
    return idsIn(await rig.poll());
  };

  expect(await pollDuringSpawn('agent_spawn.1')).toContain('agent-1795447692893');
  expect(await pollDuringSpawn('agent_spawn.2')).toEqual(['agent-other']);
});

test('PolledTool ignores observed results of a tool that the server does not offer', async () => {
  const rig = await polled('CLAUDE_FLOW', { agent_list: FLOW_ANSWERS.agent_list });

  expect(rig.adapter.observe(recordedCall('claude-flow', 'hive-mind_status'))).toBeNull();
});

test('PolledTool ends its failure and backoff after an observed result', async () => {
  const rig = await polled('CLAUDE_FLOW', FLOW_ANSWERS);
  rig.server.answers.set('agent_list', { success: false });
  rig.clock.advance(100);
  expect((await rig.poll()).failures).toHaveLength(1);
  const report = seen(rig, recordedCall('claude-flow', 'agent_list.with-daa'));

  expect(report.failures).toEqual([]);
  expect(agentIn(report, 'coder-1').stale).toBe(false);
  await rig.poll();
  expect(rig.server.timesAsked('agent_list')).toBe(3);
});

test.each([
  ['DAA', DAA_ANSWERS],
  ['CUSTOM', {}],
] as const)('the adapter of a %s server returns no report for observed calls', async (type, answers) => {
  const rig = await polled(type, answers);
  const recorders: readonly Recorder[] = ['claude-flow', 'ruv-swarm'];

  for (const call of recorders.flatMap(recordedCalls)) expect(rig.adapter.observe(call)).toBeNull();
});
