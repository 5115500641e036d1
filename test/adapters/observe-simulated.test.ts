import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { McpServerType, ReportedAgent, ServerReport } from '../../src/model/index.js';
import { ToolRejectedError } from '../../src/mcp/index.js';
import { Simulated } from '../simulator/simulated.js';
import { withoutObservedFacts } from './observed-calls.js';
import { type Call, rigOf } from './fake-server.js';
import { assertSound } from './corrupt-responses.js';
import { runs } from '../support/fuzz-inputs.js';

type Args = Readonly<Record<string, unknown>>;

/** Id of an agent. A number selects one of the existing agents. */
const agent = fc.oneof(fc.constantFrom('mine', 'other', 'nobody'), fc.nat(9));
const kind = fc.constantFrom('coder', 'tester', 'not a type!');
const given = { requiredKeys: [] } satisfies fc.RecordConstraints<never>;

function calls(tools: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>>) {
  const each = Object.entries(tools).map(([tool, args]) => fc.tuple(fc.constant(tool), fc.record(args, given)));
  return fc.oneof(...each);
}

// `hive-mind_init` is omitted, because only a poll reports its queen.
const FLOW_CALLS = calls({
  agent_spawn: { agentType: kind, agentId: agent },
  agent_terminate: { agentId: agent },
  agent_update: { agentId: agent, status: fc.constantFrom('busy', 'terminated', 'thinking'), health: fc.double() },
  agent_status: { agentId: agent },
  agent_list: { status: fc.constantFrom('idle', 'busy'), includeTerminated: fc.boolean() },
  swarm_init: { topology: fc.constantFrom('mesh', 'star') },
  swarm_status: {},
  'hive-mind_spawn': { count: fc.nat(3), agentType: kind },
  'hive-mind_status': { verbose: fc.boolean() },
  daa_agent_create: { id: fc.constantFrom('daa-a', 'daa-b') },
  daa_agent_adapt: { agentId: fc.constantFrom('daa-a', 'nobody'), performanceScore: fc.double({ min: 0, max: 1 }) },
  daa_learning_status: { agentId: fc.constantFrom('daa-a', 'nobody') },
  task_create: { type: kind, description: kind, assignTo: fc.array(agent) },
  task_list: { status: fc.constantFrom('pending', 'completed'), limit: fc.nat(60) },
});

const RUV_CALLS = calls({
  agent_spawn: { type: kind, name: fc.string(), capabilities: fc.array(fc.string()) },
  agent_list: { filter: fc.constantFrom('all', 'idle', 'busy') },
  swarm_init: { topology: fc.constantFrom('mesh', 'star') },
  swarm_status: { verbose: fc.boolean() },
  task_orchestrate: { task: kind, maxAgents: fc.nat(5) },
  task_status: { taskId: fc.constantFrom('nobody') },
  daa_agent_create: { id: fc.constantFrom('daa-a') },
});

/** Values of an existing agent that a result reports reliably. */
function certain({ nativeId, serverType, swarmNativeId, name, type, capabilities }: ReportedAgent) {
  return { nativeId, serverType, swarmNativeId, name, type, capabilities };
}

/** Sorts agents by id, because lists have their own order. */
function present(report: ServerReport): ReturnType<typeof certain>[] {
  const living = report.agents.filter(({ status }) => status !== 'TERMINATED').map(certain);
  return living.sort((a, b) => (a.nativeId < b.nativeId ? -1 : 1));
}

/** Returns the polled agent without values that claude-flow leaves open: a worker's type and swarm. */
function withoutOpenValues(polled: ReportedAgent, observed: ReportedAgent | undefined): ReportedAgent {
  if (observed?.serverType !== 'CLAUDE_FLOW') return polled;
  return {
    ...polled,
    type: observed.type === 'unknown' ? observed.type : polled.type,
    swarmNativeId: observed.swarmNativeId === null ? null : polled.swarmNativeId,
  };
}

function withAgents(args: Args, ids: readonly string[]): Args {
  const named = (value: unknown): unknown =>
    typeof value === 'number' ? (ids[value % ids.length] ?? 'nobody') : value;
  const { agentId, assignTo } = args;
  return {
    ...args,
    ...(agentId === undefined ? {} : { agentId: named(agentId) }),
    ...(Array.isArray(assignTo) ? { assignTo: assignTo.map(named) } : {}),
  };
}

test.each([
  ['CLAUDE_FLOW', 'claude-flow', FLOW_CALLS],
  ['RUV_SWARM', 'ruv-swarm', RUV_CALLS],
] as const)(
  'for any calls on a simulated %s server: the observed state equals the polled state',
  async (type: McpServerType, simulator, calls) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(99), fc.array(calls, { minLength: 1, maxLength: 12 }), async (seed, steps) => {
        const simulated = new Simulated(simulator, { seed, agents: 5 });
        if (type === 'CLAUDE_FLOW') simulated.call('hive-mind_init');
        const answer = (tool: string, args: Args): Call['answer'] => {
          try {
            return { isError: false, value: simulated.call<unknown>(tool, args) };
          } catch (error) {
            return { isError: true, value: String(error) };
          }
        };
        const answers = Object.fromEntries(
          simulated.toolNames.map((tool) => [
            tool,
            (args: Args) => {
              const { isError, value } = answer(tool, args);
              return isError ? new ToolRejectedError(String(value), -32603) : value;
            },
          ]),
        );
        const rig = rigOf(type, answers);
        let known = await rig.poll();
        for (const [tool, given] of steps) {
          const args = withAgents(
            given,
            known.agents.map(({ nativeId }) => nativeId),
          );
          const report = rig.adapter.observe({ kind: 'CALL', tool, args, answer: answer(tool, args) });
          if (report !== null) assertSound(report);
          known = report ?? known;
          const polled = await rigOf(type, answers).poll();
          const observed = new Map(known.agents.map((agent) => [agent.nativeId, agent]));
          const agents = polled.agents.map((agent) => withoutOpenValues(agent, observed.get(agent.nativeId)));
          expect(present(withoutObservedFacts(type, known))).toEqual(present({ ...polled, agents }));
        }
        expect(rig.adapter.rejectedCount).toBe(0);
      }),
      runs(25),
    );
  },
);
