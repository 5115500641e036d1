import type { McpServerType, ServerReport } from '../../src/model/index.js';
import { type Call, type Rig, rigOf } from './fake-server.js';
import { assertSound } from './corrupt-responses.js';

/** Creates a call that was not recorded. */
export function callOf(tool: string, args: Readonly<Record<string, unknown>>, value: unknown, isError = false): Call {
  return { kind: 'CALL', tool, args, answer: { isError, value } };
}

export async function polled(type: McpServerType, answers: Readonly<Record<string, unknown>>): Promise<Rig> {
  const rig = rigOf(type, answers);
  await rig.poll();
  return rig;
}

/** Applies events and returns the last report. Fails if nothing changed. */
export function seen(rig: Rig, call: Call): ServerReport {
  const report = rig.adapter.observe(call);
  if (report === null) throw new Error(`nothing was learned of ${call.tool}`);
  assertSound(report);
  return report;
}

export function idsIn(report: ServerReport): string[] {
  return report.agents.map((agent) => agent.nativeId);
}

/** Returns a report without what no list contains: the DAA agents of ruv-swarm, and titles, swarms and times of tasks. */
export function withoutObservedFacts(type: McpServerType, report: ServerReport): ServerReport {
  const unlisted = type === 'RUV_SWARM' ? { title: null, swarmNativeId: null } : { startedAt: null, endedAt: null };
  const tasks = report.tasks?.map((task) => ({ ...task, ...unlisted }));
  const agents = report.agents.filter(({ serverType }) => type !== 'RUV_SWARM' || serverType !== 'DAA');
  return { ...report, agents, ...(tasks !== undefined && { tasks }) };
}
