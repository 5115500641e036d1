import type { McpServerType } from '../model/index.js';
import { GATEWAY_LIST_TOOL } from './claude-flow/gateway-adapter.js';
import type { ServerMapping } from './server-mapping.js';

/** A call of a tool. */
interface ToolCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The first of them that there is. */
const LISTS: Readonly<Record<Exclude<McpServerType, 'CUSTOM'>, readonly string[]>> = {
  CLAUDE_FLOW: ['agent_list', GATEWAY_LIST_TOOL],
  RUV_SWARM: ['agent_list'],
  DAA: ['list_agents'],
};

/** What a server of this kind is asked to see whether it answers at all; `null`: nothing is known to be harmless. */
export function probeTool(
  type: McpServerType,
  tools: readonly string[],
  mapping: ServerMapping | undefined,
): ToolCall | null {
  const [source] = mapping?.agents ?? [];
  const call =
    type !== 'CUSTOM'
      ? { tool: LISTS[type].find((tool) => tools.includes(tool)) ?? '', args: {} }
      : source === undefined
        ? null
        : { tool: source.tool, args: source.arguments };
  return call !== null && tools.includes(call.tool) ? call : null;
}
