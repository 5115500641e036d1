import type { McpServerType } from '../model/index.js';
import { GATEWAY_LIST_TOOL } from './claude-flow/gateway-adapter.js';
import type { MappedRequest, ServerMapping } from './server-mapping.js';

/** Name and arguments of a tool call. */
export interface ToolCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Names of the list tools of each server type. The first existing one serves as probe. */
const LIST_TOOLS: Readonly<Record<Exclude<McpServerType, 'CUSTOM'>, readonly string[]>> = {
  CLAUDE_FLOW: ['agent_list', GATEWAY_LIST_TOOL],
  RUV_SWARM: ['agent_list'],
  DAA: ['list_agents'],
  CLAUDE_CODE: ['list_agents'],
  CODEX: ['list_agents'],
};

/** Returns the source whose failure means that the state of a mapped server is unknown. Null without a mapping. */
export function mainSource(mapping: ServerMapping | undefined): MappedRequest | null {
  return mapping?.agents[0] ?? mapping?.tasks?.[0] ?? null;
}

/** Selects the harmless call that serves as health probe of a server. Returns null if no harmless call is known. */
export function probeTool(
  type: McpServerType,
  tools: readonly string[],
  mapping: ServerMapping | undefined,
): ToolCall | null {
  const source = mainSource(mapping);
  const call =
    type !== 'CUSTOM'
      ? { tool: LIST_TOOLS[type].find((tool) => tools.includes(tool)) ?? '', args: {} }
      : source === null || source.isResource
        ? null
        : { tool: source.tool, args: source.arguments };
  return call !== null && tools.includes(call.tool) ? call : null;
}
