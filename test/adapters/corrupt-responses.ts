import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import {
  AGENT_STATUSES,
  type ReportedAgent,
  type ReportedTask,
  type ServerReport,
  TASK_STATUSES,
} from '../../src/model/index.js';

/** One `expect` for a whole report: one for each value would take most of the time of a property. */
export function assertSound(report: ServerReport): void {
  const ids = report.agents.map((agent) => agent.nativeId);
  const swarmIds = report.swarms.map((swarm) => swarm.nativeId);
  const swarms = new Set<string | null>(swarmIds);
  const problems = report.agents.flatMap((agent) => problemsOf(agent, swarms));
  if (new Set(ids).size !== ids.length) problems.push(`agents twice: ${ids.join()}`);
  if (swarms.size !== swarmIds.length) problems.push(`swarms twice: ${swarmIds.join()}`);
  for (const { swarmNativeId } of report.edges) {
    if (!swarms.has(swarmNativeId)) problems.push(`edge of an unknown swarm: ${swarmNativeId}`);
  }
  const taskIds = (report.tasks ?? []).map((task) => task.nativeId);
  if (new Set(taskIds).size !== taskIds.length) problems.push(`tasks twice: ${taskIds.join()}`);
  problems.push(...(report.tasks ?? []).flatMap(problemsOfTask));
  expect(problems).toEqual([]);
  // Contains JSON values only.
  const copy: unknown = JSON.parse(JSON.stringify(report));
  if (!isDeepStrictEqual(copy, report)) expect(copy).toEqual(report);
}

function problemsOf(agent: ReportedAgent, swarms: ReadonlySet<string | null>): string[] {
  const problems: string[] = [];
  const check = (isSound: boolean, what: string, value: unknown): void => {
    if (!isSound) problems.push(`${what} of ${JSON.stringify(agent.nativeId)}: ${JSON.stringify(value)}`);
  };
  for (const text of [agent.nativeId, agent.name, agent.type]) {
    check(/^[^\p{Cc}\p{Cs}]{1,256}$/u.test(text) && text === text.trim(), 'text', text);
  }
  check(agent.type.length <= 64 && agent.type === agent.type.toLowerCase(), 'type', agent.type);
  check(AGENT_STATUSES.includes(agent.status), 'status', agent.status);
  check(agent.capabilities.length <= 64, 'number of capabilities', agent.capabilities.length);
  check(agent.swarmNativeId === null || swarms.has(agent.swarmNativeId), 'swarm', agent.swarmNativeId);
  const { healthScore, successRate, tasksActive, tasksCompleted, tasksFailed } = agent.performance ?? {};
  for (const value of [healthScore, successRate, agent.neural?.learningRate]) {
    check(value == null || (value >= 0 && value <= 1), 'fraction', value);
  }
  for (const value of [tasksActive, tasksCompleted, tasksFailed, agent.neural?.adaptations]) {
    check(value == null || (Number.isSafeInteger(value) && value >= 0), 'count', value);
  }
  for (const known of [agent.performance, agent.neural]) {
    check(known === null || Object.values(known).some((value) => value !== null), 'record of nothing', known);
  }
  for (const date of [agent.createdAt, agent.lastActiveAt]) {
    check(/^(\d{4}-.*Z)?$/.test(date ?? ''), 'date', date);
  }
  return problems;
}

function problemsOfTask(task: ReportedTask): string[] {
  const { nativeId, title, status, agentNativeIds, dependsOnNativeIds, createdAt, startedAt, endedAt } = task;
  const texts = [nativeId, title ?? 'none', ...agentNativeIds, ...dependsOnNativeIds];
  const isSound =
    texts.every((text) => /^[^\p{Cc}\p{Cs}]{1,256}$/u.test(text) && text === text.trim()) &&
    TASK_STATUSES.includes(status) &&
    [createdAt, startedAt, endedAt].every((date) => /^(\d{4}-.*Z)?$/.test(date ?? ''));
  return isSound ? [] : [`task: ${JSON.stringify(task)}`];
}
