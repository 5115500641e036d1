import { z } from 'zod';
import type { McpServerType, ReportedAgent, ServerReport } from '../../model/index.js';
import type { SessionEvent } from '../../mcp/index.js';
import type { Clock } from '../../shared/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import * as field from '../responses/value-schemas.js';
import { collectProblems, PolledTool } from '../polled-tool.js';
import { listIn } from '../responses/parse-response.js';
import { RecordReader } from '../responses/record-reader.js';
import { isObject } from '../responses/is-object.js';
import { createReportedAgent } from '../responses/report-builders.js';
import { parseAgentStatus } from '../responses/agent-status.js';

/** Time after its last action until an unlisted agent is removed. The gateway does not report its end. */
const ACTION_EXPIRY_MS = 300_000;
/** Most agents that are tracked by their actions. The longest inactive one is removed first. */
const MAX_ACTING = 1_000;

/** Method of the gateway that lists registered agents. */
export const GATEWAY_LIST_TOOL = 'agent/list';
const ACTION_METHOD = 'notifications/agent_action';

/** Schema of a registered agent: its registration, with the time added by the gateway. */
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

/** Last action of an agent. */
interface ActingAgent {
  readonly lastActiveAt: string | null;
  /** Last status reported by an action. Null if no action had one. */
  readonly status: string | null;
  /** Status in the list at that time. The list takes precedence again when its status changes. */
  readonly listedStatus: string | null;
  readonly observedAtMs: number;
}

/**
 * Observes VisionFlow's gateway in front of claude-flow. Combines its list of registered agents with the actions that the
 * gateway pushes. Most acting agents are not registered, so only their id and last action are known.
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
      records: this.#records,
      minIntervalMs: 0,
      isMain: true,
      read: (response) => {
        const location = { tool: GATEWAY_LIST_TOOL, path: 'agents' };
        return this.#records.readAll(location, agentSchema, listIn(response, 'agents'), (agent) => agent.id);
      },
    });
  }

  get rejectedCount(): number {
    return this.#records.rejectedCount;
  }

  get lastRejection(): string | null {
    return this.#records.lastRejection;
  }

  observe(event: SessionEvent): ServerReport | null {
    if (event.kind !== 'NOTIFICATION' || event.method !== ACTION_METHOD) return null;
    const action = this.#records.read({ tool: ACTION_METHOD, path: 'event' }, actionSchema, toAction(event.params));
    if (action === null) return null;
    const { source_agent_id: nativeId, timestamp, status } = action;
    const previous = this.#acting.get(nativeId);
    this.#acting.delete(nativeId);
    this.#acting.set(nativeId, {
      lastActiveAt: timestamp ?? previous?.lastActiveAt ?? null,
      status: status ?? previous?.status ?? null,
      listedStatus: (status === null ? previous?.listedStatus : this.#listedStatus(nativeId)) ?? null,
      observedAtMs: this.#clock.monotonic(),
    });
    const [oldest] = this.#acting.keys();
    if (this.#acting.size > MAX_ACTING && oldest !== undefined) this.#acting.delete(oldest);
    // Before the first list, a report would remove all other agents.
    return this.#agents.lastGood === null ? null : this.#report();
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    await this.#agents.refresh(signal);
    return this.#report();
  }

  #report(): ServerReport {
    const listed = this.#agents.lastGood ?? [];
    const ids = new Set(listed.map((agent) => agent.id));
    const stale = this.#agents.failure !== null;
    const agents = listed.map((agent): ReportedAgent => {
      const acting = this.#acting.get(agent.id);
      const isNewer = acting?.status != null && acting.listedStatus === agent.status;
      return createReportedAgent({
        nativeId: agent.id,
        serverType: 'CLAUDE_FLOW',
        name: agent.name ?? agent.id,
        type: agent.type ?? 'unknown',
        status: parseAgentStatus(isNewer ? acting.status : agent.status),
        capabilities: agent.capabilities,
        createdAt: agent.registeredAt,
        lastActiveAt: acting?.lastActiveAt ?? null,
        stale,
      });
    });
    const nowMs = this.#clock.monotonic();
    for (const [nativeId, { lastActiveAt, status, observedAtMs }] of this.#acting) {
      if (ids.has(nativeId)) continue;
      if (nowMs - observedAtMs >= ACTION_EXPIRY_MS) this.#acting.delete(nativeId);
      else {
        const fields = { nativeId, serverType: 'CLAUDE_FLOW', status: parseAgentStatus(status), lastActiveAt } as const;
        agents.push(createReportedAgent(fields));
      }
    }
    return { agents, swarms: [], edges: [], ...collectProblems([this.#agents]) };
  }

  #listedStatus(nativeId: string): string | null {
    return this.#agents.lastGood?.find((agent) => agent.id === nativeId)?.status ?? null;
  }
}

/** Extracts the action from its envelope, and the status from its `metadata` if needed. */
function toAction(params: unknown): unknown {
  const event = isObject(params) && isObject(params['event']) ? params['event'] : params;
  if (!isObject(event)) return event;
  const metadata = isObject(event['metadata']) ? event['metadata'] : {};
  return { ...event, status: event['status'] ?? metadata['status'] };
}
