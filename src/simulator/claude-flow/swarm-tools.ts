import { z } from 'zod';
import { CLAUDE_FLOW_TOOLS } from './tool-definitions.js';
import type { SimSwarm } from '../world/entities.js';
import { optionalBoolean, optionalNumber, optionalText, defineTool, type SimulatedTool } from '../tool.js';
import type { World } from '../world/world.js';

const VERSION = '3.43.0';
const UNMEASURED = { status: 'unknown', _note: 'Health not measured — use system_health for real checks' };

export function claudeFlowSwarmTools(world: World): SimulatedTool[] {
  const topology = { type: 'hierarchical', maxNodes: 15, redundancy: 2, consensusAlgorithm: 'raft' };
  const find = (id: string | null): SimSwarm | undefined =>
    id === null ? world.swarms.at(-1) : world.swarms.find((swarm) => swarm.id === id);
  return [
    defineTool(
      CLAUDE_FLOW_TOOLS.swarm_init,
      z.object({ topology: optionalText, maxAgents: optionalNumber, strategy: optionalText }),
      ({ topology: shape, maxAgents, strategy }) => {
        const swarm = {
          id: world.ids.tagged('swarm', 6),
          topology: shape ?? 'hierarchical-mesh',
          strategy: strategy ?? 'specialized',
          maxAgents: Math.min(50, Math.max(1, maxAgents ?? 15)),
          createdAtMs: world.elapsedMs,
        };
        world.swarms.push(swarm);
        return {
          success: true,
          swarmId: swarm.id,
          topology: swarm.topology,
          strategy: swarm.strategy,
          maxAgents: swarm.maxAgents,
          initializedAt: world.now,
          config: configOf(swarm),
          persisted: true,
        };
      },
    ),
    defineTool(CLAUDE_FLOW_TOOLS.swarm_status, z.object({ swarmId: optionalText }), ({ swarmId }) => {
      const swarm = find(swarmId);
      if (swarm === undefined) return { swarmId, status: 'not_found', error: 'Swarm not found' };
      return {
        swarmId: swarm.id,
        status: 'running',
        topology: swarm.topology,
        maxAgents: swarm.maxAgents,
        agentCount: members(world, swarm),
        taskCount: 0,
        config: configOf(swarm),
        createdAt: world.timestampAt(swarm.createdAtMs),
        updatedAt: world.timestampAt(swarm.createdAtMs),
        ...(swarmId === null ? { totalSwarms: world.swarms.length } : {}),
      };
    }),
    defineTool(CLAUDE_FLOW_TOOLS.swarm_health, z.object({ swarmId: optionalText }), ({ swarmId }) => {
      const swarm = find(swarmId);
      if (swarm === undefined) return { status: 'not_found', healthy: false, swarmId, error: 'Swarm not found' };
      const agentCount = members(world, swarm);
      return {
        status: 'healthy',
        healthy: true,
        swarmId: swarm.id,
        topology: swarm.topology,
        agentCount,
        checks: [
          { name: 'coordinator', status: 'ok', message: 'Coordinator active' },
          { name: 'agents', status: 'ok', message: `${agentCount} agents registered (max: ${swarm.maxAgents})` },
          { name: 'persistence', status: 'ok', message: 'State file persisted' },
          { name: 'topology', status: 'ok', message: `Topology: ${swarm.topology}` },
        ],
        checkedAt: world.now,
      };
    }),
    defineTool(
      CLAUDE_FLOW_TOOLS.coordination_topology,
      z.object({
        action: optionalText,
        type: optionalText,
        maxNodes: optionalNumber,
        redundancy: optionalNumber,
        consensusAlgorithm: optionalText,
      }),
      ({ action, ...wanted }) => {
        if (action === 'set') {
          topology.type = wanted.type ?? topology.type;
          topology.maxNodes = wanted.maxNodes ?? topology.maxNodes;
          topology.redundancy = wanted.redundancy ?? topology.redundancy;
          topology.consensusAlgorithm = wanted.consensusAlgorithm ?? topology.consensusAlgorithm;
        }
        // Its nodes are those of coordination_node, which is not simulated; agents are none of them.
        return { success: true, topology, nodes: 0, status: 'active' };
      },
    ),
    defineTool(CLAUDE_FLOW_TOOLS.system_status, z.object({ verbose: optionalBoolean }), ({ verbose }) => {
      const uptime = Math.floor(world.elapsedMs);
      const hours = Math.floor(uptime / 3_600_000);
      return {
        status: 'healthy',
        uptime,
        uptimeFormatted: `${hours}h ${Math.floor(uptime / 60_000) % 60}m`,
        version: VERSION,
        components: {
          swarm: { status: 'running', health: 1 },
          memory: UNMEASURED,
          neural: UNMEASURED,
          mcp: UNMEASURED,
        },
        lastCheck: world.now,
        ...(verbose === true ? { metrics: systemMetrics(world) } : {}),
      };
    }),
  ];
}

function configOf({ topology, maxAgents, strategy }: SimSwarm): object {
  return {
    topology,
    maxAgents,
    strategy,
    communicationProtocol: 'message-bus',
    autoScaling: true,
    consensusMechanism: 'majority',
  };
}

function members(world: World, swarm: SimSwarm): number {
  return world.livingAgents('plain').filter(({ swarmId }) => swarmId === swarm.id).length;
}

function systemMetrics(world: World): object {
  const agents = [...world.livingAgents('plain'), ...world.livingAgents('worker')];
  return {
    cpu: 49,
    memory: { used: 587, total: 24106 },
    agents: { active: agents.filter(({ taskId }) => taskId !== null).length, total: agents.length },
    tasks: {
      pending: world.tasks('pending').length,
      completed: world.tasks('completed').length,
      failed: world.tasks('failed').length,
    },
  };
}
