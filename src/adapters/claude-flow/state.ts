import type { ServerReport } from '../../model/index.js';
import type { TaskList } from '../responses/task-list.js';
import type { ClaudeFlowAgent, ClaudeFlowDaaAgent, ClaudeFlowSwarm, Hive } from './responses.js';

/** State of a claude-flow server, from its state files or its tools. Stale parts contain their last known values. */
export interface ClaudeFlowState extends Pick<ServerReport, 'failures' | 'omissions'> {
  readonly agents: readonly ClaudeFlowAgent[];
  readonly agentsAreStale: boolean;
  readonly hive: Hive | null;
  readonly hiveIsStale: boolean;
  readonly daaAgents: readonly ClaudeFlowDaaAgent[];
  readonly daaAgentsAreStale: boolean;
  readonly swarms: readonly ClaudeFlowSwarm[];
  readonly swarmsAreStale: boolean;
  /** Null if tasks are unknown. */
  readonly tasks: TaskList | null;
  readonly tasksAreStale: boolean;
  /** Reason why the swarms are unknown. Omitted if they are known. */
  readonly limitation?: string;
}
