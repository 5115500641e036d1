import type { Agent } from '@swarmlens/client';

/** Cost of the agents that were active today, by the browser's time zone. */
export interface CostToday {
  /** Sum of the known costs in US dollars. Null if no cost is known. */
  readonly costUsd: number | null;
  readonly isEstimated: boolean;
  /** Whether the sum includes everything that these agents used. */
  readonly isComplete: boolean;
  /** Number of agents that were active today. */
  readonly agents: number;
  /** Number of these agents without a known cost. */
  readonly unknown: number;
  /** Number of these agents that were created before today or at an unknown time. Their cost includes earlier days. */
  readonly older: number;
}

/**
 * Sums the cost of the agents that were active today. The server reports the cost of an agent since its start only, so that the
 * sum may include earlier days.
 */
export function sumCostToday(agents: Iterable<Agent>, nowMs: number): CostToday {
  const startMs = startOfDay(nowMs);
  let costUsd: number | null = null;
  let [isEstimated, isComplete] = [false, true];
  let [count, unknown, older] = [0, 0, 0];
  for (const agent of agents) {
    if (!isActiveSince(agent, startMs)) continue;
    const { usage, createdAt } = agent;
    count += 1;
    if (!(Date.parse(createdAt ?? '') >= startMs)) older += 1;
    if (usage?.costUsd == null) {
      unknown += 1;
      continue;
    }
    costUsd = (costUsd ?? 0) + usage.costUsd;
    isEstimated ||= usage.costEstimated;
    isComplete &&= usage.complete;
  }
  return { costUsd, isEstimated, isComplete, agents: count, unknown, older };
}

/** Whether an agent was active or created today. False if neither time is known. */
export function isToday(agent: Agent, nowMs: number): boolean {
  return isActiveSince(agent, startOfDay(nowMs));
}

function isActiveSince({ lastActiveAt, createdAt }: Agent, startMs: number): boolean {
  return Date.parse(lastActiveAt ?? createdAt ?? '') >= startMs;
}

function startOfDay(nowMs: number): number {
  return new Date(nowMs).setHours(0, 0, 0, 0);
}
