import type { AgentStatus } from '../model/index.js';
import type { PerformanceMetrics } from '../state/index.js';
import { builder } from './builder.js';
import { AgentStatusEnum } from './enums.js';

const StatusCountType = builder
  .objectRef<{ readonly status: AgentStatus; readonly count: number }>('AgentStatusCount')
  .implement({
    description: 'How many agents have a status.',
    fields: (t) => ({
      status: t.expose('status', { type: AgentStatusEnum, description: 'The status.' }),
      count: t.exposeInt('count', { description: 'Agents that have it.' }),
    }),
  });

export const PerformanceMetricsRef = builder.objectRef<PerformanceMetrics>('PerformanceMetrics').implement({
  description: 'What a set of agents does together. A sum or mean is null when no agent of the set reports the value.',
  fields: (t) => ({
    totalAgents: t.exposeInt('totalAgents', { description: 'Agents in the set.' }),
    activeAgents: t.exposeInt('activeAgents', { description: 'Agents that are ACTIVE or BUSY.' }),
    staleAgents: t.exposeInt('staleAgents', { description: 'Agents that show last known values.' }),
    agentsByStatus: t.field({
      type: [StatusCountType],
      description: 'Agents by status; statuses that nobody has are left out.',
      resolve: (metrics) => [...metrics.agentsByStatus],
    }),
    tasksActive: t.exposeInt('tasksActive', { nullable: true, description: 'Sum of tasks not ended.' }),
    tasksCompleted: t.exposeInt('tasksCompleted', { nullable: true, description: 'Sum of tasks ended well.' }),
    tasksFailed: t.exposeInt('tasksFailed', { nullable: true, description: 'Sum of tasks ended badly.' }),
    tokenUsage: t.exposeFloat('tokenUsage', { nullable: true, description: 'Sum of tokens used.' }),
    tokenRate: t.exposeFloat('tokenRate', { nullable: true, description: 'Sum of tokens a second.' }),
    throughput: t.exposeFloat('throughput', { nullable: true, description: 'Sum of tasks a second.' }),
    meanCpuUsage: t.exposeFloat('meanCpuUsage', { nullable: true, description: 'Mean, 0..1.' }),
    meanMemoryUsage: t.exposeFloat('meanMemoryUsage', { nullable: true, description: 'Mean, 0..1.' }),
    meanHealthScore: t.exposeFloat('meanHealthScore', { nullable: true, description: 'Mean, 0..1.' }),
    meanSuccessRate: t.exposeFloat('meanSuccessRate', { nullable: true, description: 'Mean, 0..1.' }),
    meanResponseTimeMs: t.exposeFloat('meanResponseTimeMs', { nullable: true, description: 'Mean, milliseconds.' }),
  }),
});
