import { expect } from 'vitest';
import { AGENT_STATUSES, type ServerReport } from '../../src/model/index.js';

export function assertSound(report: ServerReport): void {
  const ids = report.agents.map((agent) => agent.nativeId);
  expect(new Set(ids).size).toBe(ids.length);
  const swarmIds = report.swarms.map((swarm) => swarm.nativeId);
  expect(new Set(swarmIds).size).toBe(swarmIds.length);
  for (const agent of report.agents) {
    for (const text of [agent.nativeId, agent.name, agent.type]) expect(text).toMatch(/^[^\p{Cc}\p{Cs}]{1,256}$/u);
    for (const text of [agent.nativeId, agent.name, agent.type]) expect(text).toBe(text.trim());
    expect(agent.type.length).toBeLessThanOrEqual(64);
    expect(agent.type).toBe(agent.type.toLowerCase());
    expect(AGENT_STATUSES).toContain(agent.status);
    expect(agent.capabilities.length).toBeLessThanOrEqual(64);
    if (agent.swarmNativeId !== null) expect(swarmIds).toContain(agent.swarmNativeId);
    const { healthScore, successRate, tasksActive, tasksCompleted, tasksFailed } = agent.performance ?? {};
    const fractions = [healthScore, successRate, agent.neural?.learningRate];
    for (const value of fractions) expect(value == null || (value >= 0 && value <= 1)).toBe(true);
    const counts = [tasksActive, tasksCompleted, tasksFailed, agent.neural?.adaptations];
    for (const value of counts) expect(value == null || (Number.isSafeInteger(value) && value >= 0)).toBe(true);
    for (const of of [agent.performance, agent.neural]) {
      expect(of === null || Object.values(of).some((value) => value !== null)).toBe(true);
    }
    for (const date of [agent.createdAt, agent.lastActiveAt]) expect(date ?? '').toMatch(/^(\d{4}-.*Z)?$/);
  }
  for (const edge of report.edges) expect(swarmIds).toContain(edge.swarmNativeId);
  // Contains JSON values only.
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
}
