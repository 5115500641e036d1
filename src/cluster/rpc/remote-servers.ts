import { z } from 'zod';
import type { ServerHealth, ToolCaller, ToolResult } from '../../model/index.js';
import { SwarmlensError } from '../../shared/index.js';
import type { NodeRequest, NodeRpc } from './node-rpc.js';
import { type LeaseHolder, type LeaseInfo, noOwnerError, type RemoteServers } from '../ownership.js';

const toolResultSchema = z.object({ isError: z.boolean(), content: z.unknown(), durationMs: z.number() });

/** Servers owned by other nodes: health, polls and tool calls over RPC. */
export class RpcRemoteServers implements RemoteServers {
  readonly #rpc: NodeRpc;
  readonly #infoByServer = new Map<string, LeaseInfo & { readonly holder: LeaseHolder }>();

  constructor(rpc: NodeRpc) {
    this.#rpc = rpc;
  }

  get serverIds(): readonly string[] {
    return [...this.#infoByServer.keys()];
  }

  get holders(): ReadonlyMap<string, LeaseHolder> {
    return new Map([...this.#infoByServer].map(([serverId, { holder }]) => [serverId, holder]));
  }

  /** Records the owner of a server. Keeps the known health if `health` is undefined. */
  update(serverId: string, holder: LeaseHolder | null, health?: ServerHealth | null): void {
    if (holder === null) this.#infoByServer.delete(serverId);
    else {
      const latest = health === undefined ? (this.#infoByServer.get(serverId)?.health ?? null) : health;
      this.#infoByServer.set(serverId, { holder, health: latest });
    }
  }

  health(serverId: string): ServerHealth | null {
    return this.#infoByServer.get(serverId)?.health ?? null;
  }

  async poll(serverId: string, reconnects: boolean): Promise<boolean> {
    try {
      return (await this.#request(serverId, { action: 'poll', reconnects }, NEVER_ABORTED)) === true;
    } catch (error) {
      if (error instanceof SwarmlensError) return false;
      throw error;
    }
  }

  async callTool(
    serverId: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    caller: ToolCaller,
  ): Promise<ToolResult> {
    const { isError, content, durationMs } = toolResultSchema.parse(
      await this.#request(serverId, { action: 'tool', tool, args, caller }, signal),
    );
    return { isError, content, durationMs };
  }

  async #request(serverId: string, request: NodeRequest, signal: AbortSignal): Promise<unknown> {
    const holder = this.#infoByServer.get(serverId)?.holder;
    if (holder === undefined) throw noOwnerError(serverId);
    return this.#rpc.request(holder.nodeId, serverId, request, signal);
  }
}

/** Signal for polls, which are never aborted. */
const NEVER_ABORTED = new AbortController().signal;
