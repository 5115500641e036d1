import { z } from 'zod';
import type { McpServerType, ReportedAgent, ServerReport } from '../../model/index.js';
import type { SessionEvent } from '../../mcp/index.js';
import type { Clock } from '../../shared/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import * as field from '../responses/value-schemas.js';
import { collectFailures, PolledTool, parseResponse } from '../polled-tool.js';
import { isObject, RecordReader } from '../responses/record-reader.js';
import { createReportedAgent } from '../responses/report-builders.js';
import { parseAgentStatus } from '../responses/agent-status.js';

/** How long an agent that is in no list is there after its last action: nothing ever says that it has left. */
const ACTS_FOR_MS = 300_000;
/** Agents known by their actions; the one that has been quiet for longest is forgotten first. */
const MAX_ACTING = 1_000;

export const GATEWAY_LIST_TOOL = 'agent/list';
const ACTION = 'notifications/agent_action';

/** The gateway keeps what an agent says of itself when it registers, and adds the time. */
const agentSchema = z.object({
  id: field.id,
  name: field.name,
  type: field.word,
  status: field.word,
  capabilities: field.capabilities,
  registeredAt: field.timestamp,
});

const actionSchema = z.object({
  source_agent_id: z.union([field.id, z.int().transform(String)]),
  timestamp: field.timestamp,
  status: field.word,
});

interface ActingAgent {
  readonly lastActiveAt: string | null;
  /** What an action said; `null`: none did. */
  readonly status: string | null;
  /** What the list said at that time: it counts again when it says something else. */
  readonly listedStatus: string | null;
  readonly heardAtMs: number;
}

/**
 * VisionFlow's gateway, in front of claude-flow: agents that have registered, and what they do, pushed. Most of those that
 * act have never registered, and are known by their id and their last action only.
 */
export class GatewayAdapter implements Adapter {
  readonly type = 'CLAUDE_FLOW';
  readonly agentServerTypes: readonly McpServerType[] = ['CLAUDE_FLOW'];
  readonly #records: RecordReader;
  readonly #clock: Clock;
  readonly #agents: PolledTool<z.output<typeof agentSchema>[]>;
  readonly #acting = new Map<string, ActingAgent>();

  constructor(context: AdapterContext) {
    this.#records = new RecordReader(context);
    this.#clock = context.clock;
    this.#agents = new PolledTool(context, {
      tool: GATEWAY_LIST_TOOL,
      minIntervalMs: 0,
      isMain: true,
      read: (answer) => {
        const { agents } = parseResponse(z.object({ agents: z.array(z.unknown()) }), answer);
        return this.#records.readAll({ tool: GATEWAY_LIST_TOOL, path: 'agents' }, agentSchema, agents, (one) => one.id);
      },
    });
  }

  get rejectedCount(): number {
    return this.#records.rejectedCount;
  }

  get lastRejection(): string | null {
    return this.#records.lastRejection;
  }

  observe(push: SessionEvent): ServerReport | null {
    if (push.kind !== 'NOTIFICATION' || push.method !== ACTION) return null;
    const action = this.#records.read({ tool: ACTION, path: 'event' }, actionSchema, eventOf(push.params));
    if (action === null) return null;
    const { source_agent_id: nativeId, timestamp, status } = action;
    const before = this.#acting.get(nativeId);
    this.#acting.delete(nativeId);
    this.#acting.set(nativeId, {
      lastActiveAt: timestamp ?? before?.lastActiveAt ?? null,
      status: status ?? before?.status ?? null,
      listedStatus: (status === null ? before?.listedStatus : this.#listedStatus(nativeId)) ?? null,
      heardAtMs: this.#clock.monotonic(),
    });
    const [quietest] = this.#acting.keys();
    if (this.#acting.size > MAX_ACTING && quietest !== undefined) this.#acting.delete(quietest);
    // Before the first list, a report would say that there is nobody else.
    return this.#agents.lastGood === null ? null : this.#report();
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    await this.#agents.refresh(signal);
    return this.#report();
  }

  #report(): ServerReport {
    const listed = this.#agents.lastGood ?? [];
    const ids = new Set(listed.map((one) => one.id));
    const stale = this.#agents.failure !== null;
    const agents = listed.map((one): ReportedAgent => {
      const acting = this.#acting.get(one.id);
      const isNewer = acting?.status != null && acting.listedStatus === one.status;
      return createReportedAgent({
        nativeId: one.id,
        serverType: 'CLAUDE_FLOW',
        name: one.name ?? one.id,
        type: one.type ?? 'unknown',
        status: parseAgentStatus(isNewer ? acting.status : one.status),
        capabilities: one.capabilities,
        createdAt: one.registeredAt,
        lastActiveAt: acting?.lastActiveAt ?? null,
        stale,
      });
    });
    const nowMs = this.#clock.monotonic();
    for (const [nativeId, { lastActiveAt, status, heardAtMs }] of this.#acting) {
      if (ids.has(nativeId)) continue;
      if (nowMs - heardAtMs >= ACTS_FOR_MS) this.#acting.delete(nativeId);
      else {
        const known = { nativeId, serverType: 'CLAUDE_FLOW', status: parseAgentStatus(status), lastActiveAt } as const;
        agents.push(createReportedAgent(known));
      }
    }
    return { agents, swarms: [], edges: [], failures: collectFailures([this.#agents]) };
  }

  #listedStatus(nativeId: string): string | null {
    return this.#agents.lastGood?.find((one) => one.id === nativeId)?.status ?? null;
  }
}

/** The original puts the action into an envelope, and what an agent says of itself into `metadata`. */
function eventOf(params: unknown): unknown {
  const event = isObject(params) && isObject(params['event']) ? params['event'] : params;
  if (!isObject(event)) return event;
  const metadata = isObject(event['metadata']) ? event['metadata'] : {};
  return { ...event, status: event['status'] ?? metadata['status'] };
}
