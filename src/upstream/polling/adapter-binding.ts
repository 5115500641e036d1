import { realpathSync } from 'node:fs';
import { type Adapter, createAdapter, mainSource, probeTool, type ToolCaller } from '../../adapters/index.js';
import { type McpSession, projectDirectory } from '../../mcp/index.js';
import type { McpServer, McpServerType, ServerOrigin } from '../../model/index.js';
import { type Clock, directoryKey, isoTimestamp, type Logger } from '../../shared/index.js';
import type { PrimarySession } from '../pool/replica-pool.js';
import type { UpstreamOptions } from '../upstream-options.js';

/** Adapter of one primary session. Discarded when the primary session changes, because its cached responses are too. */
export interface AdapterBinding {
  readonly primary: PrimarySession;
  readonly adapter: Adapter;
  /** Tool that lists the agents. Null if no tool does. */
  readonly listTool: string | null;
  /** Whether a report of this adapter has been published. */
  isPublished: boolean;
}

export interface AdapterBindingDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Maximum number of agents of the server, and of entries of any list that is read. */
  readonly maxAgentsPerServer: number;
}

/** Creates the adapter for the server behind a primary session. */
export function bindAdapter(
  primary: PrimarySession,
  { id, mapping }: Pick<UpstreamOptions, 'id' | 'mapping'>,
  caller: ToolCaller,
  { clock, logger, maxAgentsPerServer }: AdapterBindingDeps,
): AdapterBinding {
  const { replica, session, type } = primary;
  const tools = toolNames(session);
  const adapter = createAdapter(type, {
    serverId: id,
    tools: new Set(tools),
    hasResources: session.identity.capabilities?.includes('resources') ?? false,
    mapping: mapping ?? undefined,
    caller,
    simulated: session.identity.simulated,
    projectDirectory: projectDirectory(replica.endpoint),
    maxEntries: maxAgentsPerServer,
    clock,
    logger,
  });
  const probe = probeTool(type, tools, mapping ?? undefined);
  const listTool = probe?.tool ?? (type === 'CUSTOM' ? mainSource(mapping ?? undefined)?.tool : null) ?? null;
  return { primary, adapter, listTool, isPublished: false };
}

/** Returns the properties of a server that follow from its new primary session. */
export function describeServer(
  { primary: { session, type, replica }, adapter }: AdapterBinding,
  options: Pick<UpstreamOptions, 'origin'>,
  clock: Clock,
): Partial<McpServer> {
  const { name, version, simulated } = session.identity;
  return {
    type,
    agentServerTypes: adapter.agentServerTypes,
    name,
    version,
    tools: toolNames(session),
    simulated,
    connectedAt: isoTimestamp(clock),
    origin: options.origin ?? sharedOrigin(type, projectDirectory(replica.endpoint)),
  };
}

/**
 * Returns the origin of a server that swarmlens has started itself. Only claude-flow shares its state with the sessions in its
 * directory, by its files there.
 */
function sharedOrigin(type: McpServerType, directory: string | null): ServerOrigin | undefined {
  if (type !== 'CLAUDE_FLOW' || directory === null) return undefined;
  return { processKeys: null, directoryKey: directoryKey(realPathOf(directory)) };
}

function realPathOf(directory: string): string {
  try {
    return realpathSync(directory);
  } catch {
    // The directory may have been removed.
    return directory;
  }
}

export function toolNames(session: McpSession): string[] {
  return session.tools.map(({ name }) => name);
}
