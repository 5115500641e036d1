import { z } from 'zod';
import { CLAUDE_FLOW_TOOLS } from './tool-definitions.js';
import type { AgentState, SimAgent } from '../world/entities.js';
import {
  optionalBoolean,
  optionalNumber,
  optionalRecord,
  optionalText,
  defineTool,
  type SimulatedTool,
} from '../tool.js';
import type { World } from '../world/world.js';

const DEFAULT_THRESHOLD = 0.5;
const NO_AGENT_METRICS = 'Per-agent OS metrics not available — use system_metrics for real CPU/memory';
const NO_TOTAL_METRICS = 'Per-agent CPU/memory not available — use system_metrics for real OS-level stats';
const SPAWN_NOTE =
  'Agent registered for coordination. Three execution paths: (1) call agent_execute(agentId, prompt) — direct LLM call via Anthropic Messages API (requires ANTHROPIC_API_KEY); (2) Claude Code Task tool — spawns a real subagent; (3) claude -p — headless background instance.';

const STATUS_LABELS: Readonly<Record<AgentState, string>> = {
  starting: 'registered',
  idle: 'idle',
  active: 'active',
  busy: 'busy',
  paused: 'paused',
  error: 'error',
  ended: 'terminated',
};

const STATES = new Map<string, AgentState>([
  ...Object.entries(STATUS_LABELS).map(([state, label]) => [label, state as AgentState] as const), // keys of STATUS_LABELS
]);

const OPEN_STATES: ReadonlySet<AgentState> = new Set(['idle', 'active', 'busy', 'paused', 'error']);

export function claudeFlowStatus(agent: SimAgent): string {
  return agent.statusOverride ?? STATUS_LABELS[agent.state];
}

/** Returns the agents in the registry, which includes hive workers but neither the queen nor DAA agents. */
export function registeredAgents(world: World): SimAgent[] {
  return [...world.agents('worker'), ...world.agents('plain')];
}

export function claudeFlowAgentTools(world: World): SimulatedTool[] {
  const find = (id: string | null): SimAgent | undefined => {
    const agent = world.agent(id);
    return agent?.group === 'plain' || agent?.group === 'worker' ? agent : undefined;
  };
  return [
    defineTool(
      CLAUDE_FLOW_TOOLS.agent_spawn,
      z.object({
        agentType: optionalText,
        agentId: optionalText,
        swarmId: optionalText,
        domain: optionalText,
        model: optionalText,
        config: optionalRecord,
      }),
      (args) => spawn(world, args),
    ),
    defineTool(CLAUDE_FLOW_TOOLS.agent_terminate, z.object({ agentId: optionalText }), ({ agentId }) => {
      const agent = find(agentId);
      if (agent === undefined) return { success: false, agentId, error: 'Agent not found' };
      world.end(agent);
      return { success: true, agentId, terminated: true, terminatedAt: world.now };
    }),
    defineTool(CLAUDE_FLOW_TOOLS.agent_status, z.object({ agentId: optionalText }), ({ agentId }) => {
      const agent = find(agentId);
      if (agent === undefined) return { agentId, status: 'not_found', error: 'Agent not found' };
      return { ...listed(world, agent), lastResult: null };
    }),
    defineTool(
      CLAUDE_FLOW_TOOLS.agent_list,
      z.object({ status: optionalText, domain: optionalText, includeTerminated: optionalBoolean }),
      ({ status, domain, includeTerminated }) => {
        const agents = registeredAgents(world)
          .filter(({ state }) => includeTerminated === true || state !== 'ended')
          .map((agent) => listed(world, agent))
          .filter((agent) => status === null || agent.status === status)
          .filter((agent) => domain === null || agent.domain === domain);
        return { agents, total: agents.length, filters: echoFilters({ status, domain, includeTerminated }) };
      },
    ),
    defineTool(
      CLAUDE_FLOW_TOOLS.agent_health,
      z.object({ agentId: optionalText, threshold: optionalNumber }),
      ({ agentId, threshold }) => {
        if (agentId === null) return healthOfAll(world, threshold ?? DEFAULT_THRESHOLD);
        const agent = find(agentId);
        if (agent === undefined) return { agentId, status: 'not_found', error: 'Agent not found' };
        return {
          agentId,
          health: agent.health,
          status: claudeFlowStatus(agent),
          healthy: agent.health >= (threshold ?? DEFAULT_THRESHOLD),
          taskCount: agent.tasksCompleted,
          uptime: Math.floor(world.elapsedMs - agent.createdAtMs),
        };
      },
    ),
    defineTool(
      CLAUDE_FLOW_TOOLS.agent_update,
      z.object({ agentId: optionalText, status: optionalText, health: optionalNumber, taskCount: optionalNumber }),
      (args) => {
        const agent = find(args.agentId);
        if (agent === undefined) return { success: false, agentId: args.agentId, error: 'Agent not found' };
        if (args.status !== null) setStatus(world, agent, args.status);
        if (args.health !== null) agent.health = Math.min(1, Math.max(0, args.health));
        if (args.taskCount !== null) agent.tasksCompleted = args.taskCount;
        const { id, health, tasksCompleted } = agent;
        const updated = { agentId: id, status: claudeFlowStatus(agent), health, taskCount: tasksCompleted };
        return { success: true, agentId: id, updated: true, agent: updated };
      },
    ),
  ];
}

interface SpawnArguments {
  readonly agentType: string | null;
  readonly agentId: string | null;
  readonly swarmId: string | null;
  readonly domain: string | null;
  readonly model: string | null;
}

function spawn(world: World, { agentType, agentId, swarmId, domain, model }: SpawnArguments): object {
  if (agentType === null) return validationError('type: Required');
  if (!/^[\w.:-]+$/.test(agentType)) return validationError('agentType contains disallowed characters');
  if (world.agent(agentId) !== undefined) return { success: false, error: `Agent already exists: ${String(agentId)}` };
  const agent = world.spawn({
    type: agentType,
    group: 'plain',
    domain,
    isPinned: true,
    ...(agentId === null ? {} : { id: agentId }),
    ...(swarmId === null ? {} : { swarmId }),
  });
  return {
    success: true,
    agentId: agent.id,
    agentType,
    model: model ?? (agentType === 'architect' ? 'opus' : 'sonnet'),
    modelRoutedBy: model === null ? 'default' : 'explicit',
    status: 'registered',
    createdAt: world.now,
    note: SPAWN_NOTE,
  };
}

function validationError(reason: string): object {
  return { success: false, error: `Input validation failed: ${reason}` };
}

/** Sets any status, like the real server. An unknown status lasts until the agent's next turn. */
function setStatus(world: World, agent: SimAgent, status: string): void {
  const state = STATES.get(status);
  if (state === 'ended') world.end(agent);
  else if (state !== undefined && OPEN_STATES.has(state)) world.setState(agent, state);
  else agent.statusOverride = status;
}

function listed(world: World, agent: SimAgent) {
  const domain = agent.group === 'worker' ? 'hive-mind' : agent.domain;
  return {
    agentId: agent.id,
    agentType: agent.type,
    status: claudeFlowStatus(agent),
    health: agent.health,
    taskCount: agent.tasksCompleted,
    createdAt: world.timestampAt(agent.createdAtMs),
    ...(domain === null ? {} : { domain }),
  };
}

function healthOfAll(world: World, threshold: number): object {
  const agents = registeredAgents(world).filter(({ state }) => state !== 'ended');
  const isHealthy = ({ health }: SimAgent): boolean => health >= threshold;
  const unhealthy = agents.filter((agent) => !isHealthy(agent));
  const average = agents.length === 0 ? 1 : agents.reduce((sum, { health }) => sum + health, 0) / agents.length;
  return {
    agents: agents.map((agent) => ({
      id: agent.id,
      type: agent.type,
      health: isHealthy(agent) ? 'healthy' : 'unhealthy',
      uptime: Math.floor(world.elapsedMs - agent.createdAtMs),
      tasks: {
        active: agent.taskId === null ? 0 : 1,
        queued: 0,
        completed: agent.tasksCompleted,
        failed: agent.tasksFailed,
      },
      _note: NO_AGENT_METRICS,
    })),
    overall: {
      healthy: agents.length - unhealthy.length,
      degraded: 0,
      unhealthy: unhealthy.length,
      cpu: null,
      memory: null,
      _note: NO_TOTAL_METRICS,
      score: Math.round(average * 100),
      issues: unhealthy.length,
    },
    total: agents.length,
    healthyCount: agents.length - unhealthy.length,
    unhealthyCount: unhealthy.length,
    threshold,
    avgHealth: average,
    unhealthyAgents: unhealthy.map((agent) => ({
      agentId: agent.id,
      health: agent.health,
      status: claudeFlowStatus(agent),
    })),
  };
}

/** Returns the filters that were given, as the real server echoes them. */
export function echoFilters(filters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== null));
}
