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
          config: toConfig(swarm),
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
        agentCount: countMembers(world, swarm),
        taskCount: 0,
        config: toConfig(swarm),
        createdAt: world.timestampAt(swarm.createdAtMs),
        updatedAt: world.timestampAt(swarm.createdAtMs),
        ...(swarmId === null ? { totalSwarms: world.swarms.length } : {}),
      };
    }),
    defineTool(CLAUDE_FLOW_TOOLS.swarm_health, z.object({ swarmId: optionalText }), ({ swarmId }) => {
      const swarm = find(swarmId);
      if (swarm === undefined) return { status: 'not_found', healthy: false, swarmId, error: 'Swarm not found' };
      const agentCount = countMembers(world, swarm);
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
      ({ action, ...requested }) => {
        if (action === 'set') {
          topology.type = requested.type ?? topology.type;
          topology.maxNodes = requested.maxNodes ?? topology.maxNodes;
          topology.redundancy = requested.redundancy ?? topology.redundancy;
          topology.consensusAlgorithm = requested.consensusAlgorithm ?? topology.consensusAlgorithm;
        }
        // Nodes are created by `coordination_node`, which is not simulated. Agents do not count as nodes.
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

function toConfig({ topology, maxAgents, strategy }: SimSwarm): object {
  return {
    topology,
    maxAgents,
    strategy,
    communicationProtocol: 'message-bus',
    autoScaling: true,
    consensusMechanism: 'majority',
  };
}

function countMembers(world: World, swarm: SimSwarm): number {
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
