import type { Agent, McpServerFragment } from '@swarmlens/client';
import { AgentRows } from '../../src/cli/watch/agent-rows.js';
import { summarizeAgents } from '../../src/cli/watch/agent-summary.js';
import {
  renderWatchFrame,
  type StyledLine,
  type WatchFrame,
  type WatchFrameInput,
} from '../../src/cli/watch/render-frame.js';
import { INITIAL_VIEW, type WatchView } from '../../src/cli/watch/view-state.js';
import type { TerminalSize } from '../../src/cli/terminal/screen.js';
import { createAgent } from '../playground/agents.js';

export const NOW_MS = Date.parse('2026-11-27T02:00:00.000Z');

export const CONNECTION: WatchFrameInput['connection'] = {
  status: 'OPEN',
  since: '2026-11-27T02:00:00.000Z',
  reason: null,
  retryAt: null,
  attempt: 0,
  latencyMs: 2.4,
  error: null,
};

export function agentOf(id: string, overrides: Partial<Agent> = {}): Agent {
  return createAgent(id, {
    id,
    serverId: 'flow',
    serverType: 'CLAUDE_FLOW',
    swarmId: 'flow:s1',
    status: 'BUSY',
    simulated: false,
    lastSeenAt: '2026-11-27T02:00:01.000Z',
    ...overrides,
  });
}

export const USAGE: NonNullable<Agent['usage']> = {
  inputTokens: 100,
  outputTokens: 200,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  totalTokens: 12_345,
  costUsd: 0.42,
  costEstimated: false,
  complete: true,
};

export const ACTIVITY: NonNullable<Agent['activity']> = {
  kind: 'TOOL',
  label: 'Bash',
  detail: null,
  since: '2026-11-27T01:58:00.000Z',
  waitingFor: null,
  inferred: false,
};

export function serverOf(id: string, overrides: Partial<McpServerFragment> = {}): McpServerFragment {
  return {
    id,
    type: 'CLAUDE_FLOW',
    name: id,
    version: null,
    transport: 'STDIO',
    status: 'ONLINE',
    tools: [],
    agentCount: 3,
    stale: false,
    simulated: false,
    connectedAt: null,
    lastSeenAt: null,
    lastError: null,
    staleSince: null,
    circuitBreaker: { state: 'CLOSED', consecutiveFailures: 0, openedAt: null, retryAt: null },
    latency: { p50Ms: null, p95Ms: 3.25, p99Ms: null },
    replicas: [],
    ...overrides,
  };
}

export function mapOf(agents: readonly Agent[]): ReadonlyMap<string, Agent> {
  return new Map(agents.map((agent) => [agent.id, agent]));
}

export interface FrameOptions extends Partial<Omit<WatchFrameInput, 'agents' | 'view'>> {
  readonly agents?: readonly Agent[] | null;
  readonly view?: Partial<WatchView>;
}

export function frameOf(options: FrameOptions, size: TerminalSize): WatchFrame {
  const { agents = [agentOf('flow:a'), agentOf('flow:b')], view: viewPatch, ...rest } = options;
  const view = { ...INITIAL_VIEW, ...viewPatch };
  const byId = agents === null ? null : mapOf(agents);
  const input: WatchFrameInput = {
    url: 'http://127.0.0.1:4000',
    connection: CONNECTION,
    agents: byId,
    summary: summarizeAgents(agents ?? []),
    servers: [serverOf('flow')],
    serversError: null,
    effectiveHz: 10,
    view,
    rows: new AgentRows().select(byId ?? new Map(), view),
    nowMs: NOW_MS,
    hasKeys: true,
    ...rest,
  };
  return renderWatchFrame(input, size);
}

export function textOf(line: StyledLine): string {
  return line.map(({ text }) => text).join('');
}

export function linesOf(options: FrameOptions, size: TerminalSize): string[] {
  return frameOf(options, size).lines.map(textOf);
}
