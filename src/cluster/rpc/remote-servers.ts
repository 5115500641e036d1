import { z } from 'zod';
import type { ServerHealth, ToolResult } from '../../model/index.js';
import { SwarmlensError } from '../../shared/index.js';
import type { NodeRequest, NodeRpc } from './node-rpc.js';
import type { LeaseHolder, LeaseInfo } from '../leases/lease-store.js';
import { noOwnerError, type RemoteServers } from '../ownership.js';

const RESULT = z.object({ isError: z.boolean(), content: z.unknown(), durationMs: z.number() });

/** The servers that other nodes watch. */
export class RpcRemoteServers implements RemoteServers {
  readonly #calls: NodeRpc;
  readonly #seen = new Map<string, LeaseInfo & { readonly holder: LeaseHolder }>();

  constructor(calls: NodeRpc) {
    this.#calls = calls;
  }

  get serverIds(): readonly string[] {
    return [...this.#seen.keys()];
  }

  get holders(): ReadonlyMap<string, LeaseHolder> {
    return new Map([...this.#seen].map(([serverId, { holder }]) => [serverId, holder]));
  }

  /** @param health `undefined`: it has not been looked at */
  update(serverId: string, holder: LeaseHolder | null, health?: ServerHealth | null): void {
    if (holder === null) this.#seen.delete(serverId);
    else {
      const known = health === undefined ? (this.#seen.get(serverId)?.health ?? null) : health;
      this.#seen.set(serverId, { holder, health: known });
    }
  }

  health(serverId: string): ServerHealth | null {
    return this.#seen.get(serverId)?.health ?? null;
  }

  async poll(serverId: string, reconnects: boolean): Promise<boolean> {
    try {
      return (await this.#request(serverId, { what: 'poll', reconnects }, NEVER)) === true;
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
  ): Promise<ToolResult> {
    const { isError, content, durationMs } = RESULT.parse(
      await this.#request(serverId, { what: 'tool', tool, args }, signal),
    );
    return { isError, content, durationMs };
  }

  async #request(serverId: string, asked: NodeRequest, signal: AbortSignal): Promise<unknown> {
    const holder = this.#seen.get(serverId)?.holder;
    if (holder === undefined) throw noOwnerError(serverId);
    return this.#calls.request(holder.nodeId, serverId, asked, signal);
  }
}

/** Who asks for a poll waits for it. */
const NEVER = new AbortController().signal;
