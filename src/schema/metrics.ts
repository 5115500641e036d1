import {
  type AgentStatus,
  AVERAGED_FIELDS,
  type MeanName,
  PERFORMANCE_FIELDS,
  SUMMED_FIELDS,
  type SummedField,
  toMeanName,
} from '../model/index.js';
import type { PerformanceMetrics } from '../state/index.js';
import { builder } from './builder.js';
import { AgentStatusEnum } from './enums.js';

const StatusCountType = builder
  .objectRef<{ readonly status: AgentStatus; readonly count: number }>('AgentStatusCount')
  .implement({
    description: 'Number of agents with one status.',
    fields: (t) => ({
      status: t.expose('status', { type: AgentStatusEnum, description: 'Status of the counted agents.' }),
      count: t.exposeInt('count', { description: 'Number of agents with the status.' }),
    }),
  });

export const PerformanceMetricsRef = builder.objectRef<PerformanceMetrics>('PerformanceMetrics').implement({
  description: 'Aggregated state of a set of agents. A sum or mean is null if no agent of the set reports the value.',
  fields: (t) => {
    const expose = (name: SummedField | MeanName, isInteger: boolean, description: string) => {
      const options = { nullable: true, description } as const;
      return isInteger ? t.exposeInt(name, options) : t.exposeFloat(name, options);
    };
    const sums = SUMMED_FIELDS.map((name) => {
      const isInteger = PERFORMANCE_FIELDS[name].kind === 'count';
      return [name, expose(name, isInteger, `Sum of \`${name}\` over the agents that report it.`)] as const;
    });
    const means = AVERAGED_FIELDS.map((name) => {
      const mean = toMeanName(name);
      return [mean, expose(mean, false, `Mean of \`${name}\` over the agents that report it.`)] as const;
    });
    return {
      totalAgents: t.exposeInt('totalAgents', { description: 'Number of agents in the set.' }),
      activeAgents: t.exposeInt('activeAgents', { description: 'Number of agents that are ACTIVE or BUSY.' }),
      staleAgents: t.exposeInt('staleAgents', { description: 'Number of agents with last known values.' }),
      agentsByStatus: t.field({
        type: [StatusCountType],
        description: 'Number of agents per status. Statuses without agents are omitted.',
        resolve: (metrics) => [...metrics.agentsByStatus],
      }),
      ...Object.fromEntries([...sums, ...means]),
    };
  },
});
