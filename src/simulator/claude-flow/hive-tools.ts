import { z } from 'zod';
import { claudeFlowStatus } from './agent-tools.js';
import { CLAUDE_FLOW_HIVE_TOOLS } from './hive-tool-definitions.js';
import type { SimAgent, SimHive } from '../world/entities.js';
import { optionalBoolean, optionalNumber, optionalText, defineTool, type SimulatedTool } from '../tool.js';
import type { World } from '../world/world.js';

const MAX_SPAWNED_AT_ONCE = 20;

export function claudeFlowHiveTools(world: World): SimulatedTool[] {
  const offlineHiveId = world.ids.timestamped('hive');
  return [
    defineTool(
      CLAUDE_FLOW_HIVE_TOOLS['hive-mind_init'],
      z.object({ topology: optionalText, consensus: optionalText, queenId: optionalText }),
      ({ topology, consensus, queenId }) => {
        const queen = enthrone(world, queenId ?? world.ids.timestamped('queen'));
        const hive: SimHive = {
          id: world.ids.timestamped('hive'),
          topology: topology ?? 'mesh',
          consensus: consensus ?? 'raft',
          queenId: queen.id,
          createdAtMs: world.elapsedMs,
        };
        world.hive = hive;
        const { topology: effectiveTopology, consensus: effectiveConsensus } = hive;
        return {
          success: true,
          hiveId: hive.id,
          topology: effectiveTopology,
          consensus: effectiveConsensus,
          queenId: queen.id,
          status: 'initialized',
          hiveToken: world.ids.secret(),
          config: {
            topology: effectiveTopology,
            consensus: effectiveConsensus,
            maxAgents: 15,
            persist: true,
            memoryBackend: 'hybrid',
          },
          createdAt: world.now,
        };
      },
    ),
    defineTool(
      CLAUDE_FLOW_HIVE_TOOLS['hive-mind_spawn'],
      z.object({ count: optionalNumber, role: optionalText, agentType: optionalText, prefix: optionalText }),
      ({ count, role, agentType, prefix }) => {
        if (world.hive === null)
          return { success: false, error: 'Hive-mind not initialized. Run hive-mind/init first.' };
        const requestedCount = Math.min(MAX_SPAWNED_AT_ONCE, Math.max(1, Math.floor(count ?? 1)));
        const spawned = Array.from({ length: requestedCount }, () =>
          world.spawn({
            id: world.ids.tagged(prefix ?? 'hive-worker', 4),
            type: agentType ?? 'worker',
            group: 'worker',
            isPinned: true,
          }),
        );
        return {
          success: true,
          spawned: spawned.length,
          workers: spawned.map(({ id }) => ({ agentId: id, role: role ?? 'worker', joinedAt: world.now })),
          totalWorkers: world.livingAgents('worker').length,
          hiveStatus: 'active',
          message: `Spawned ${spawned.length} worker(s) and joined them to the hive-mind`,
        };
      },
    ),
    defineTool(CLAUDE_FLOW_HIVE_TOOLS['hive-mind_status'], z.object({ verbose: optionalBoolean }), ({ verbose }) =>
      hiveStatus(world, offlineHiveId, verbose === true),
    ),
  ];
}

/** Returns the queen with this id, spawned if necessary, and ends all other queens. */
function enthrone(world: World, id: string): SimAgent {
  const existing = world.livingAgents('queen').find((queen) => queen.id === id);
  for (const queen of world.livingAgents('queen')) if (queen !== existing) world.end(queen);
  return existing ?? world.spawn({ id, type: 'queen', group: 'queen', state: 'active', isPinned: true });
}

function hiveStatus(world: World, offlineHiveId: string, verbose: boolean): object {
  const { hive } = world;
  const workers = hive === null ? [] : world.livingAgents('worker');
  const working = workers.filter(({ taskId }) => taskId !== null).length;
  const id = hive?.id ?? offlineHiveId;
  const since = hive?.createdAtMs ?? world.elapsedMs;
  return {
    hiveId: id,
    status: hive === null ? 'offline' : 'active',
    topology: hive?.topology ?? 'mesh',
    consensus: hive?.consensus ?? 'byzantine',
    queen:
      hive === null
        ? { id: 'N/A', status: 'offline', load: 0, tasksQueued: 0 }
        : {
            id: hive.queenId,
            agentId: hive.queenId,
            status: 'active',
            load: workers.length === 0 ? 0 : Math.round((working / workers.length) * 100) / 100,
            tasksQueued: world.tasks('pending').length,
            electedAt: world.timestampAt(hive.createdAtMs),
            term: 1,
          },
    workers: workers.map((worker) => ({
      id: worker.id,
      type: worker.type,
      status: claudeFlowStatus(worker),
      currentTask: worker.taskId,
      tasksCompleted: worker.tasksCompleted,
    })),
    metrics: {
      totalTasks: world.tasks().length,
      completedTasks: world.tasks('completed').length,
      activeTasks: world.tasks('in_progress').length,
      pendingTasks: world.tasks('pending').length,
      failedTasks: world.tasks('failed').length,
      consensusRounds: 0,
      memoryUsage: '0 KB',
    },
    health: {
      overall: 'healthy',
      queen: hive === null ? 'unhealthy' : 'healthy',
      workers: workers.length === 0 ? 'degraded' : 'healthy',
      consensus: 'healthy',
      memory: 'healthy',
    },
    id,
    initialized: hive !== null,
    workerCount: workers.length,
    pendingConsensus: 0,
    sharedMemoryKeys: 0,
    uptime: Math.floor(world.elapsedMs - since),
    createdAt: world.timestampAt(since),
    updatedAt: world.now,
    ...(verbose ? { workerDetails: workers.map((worker) => worker.id), consensusHistory: [], sharedMemory: {} } : {}),
  };
}
