import { createServer, type Server, type Socket } from 'node:net';
import { closeServer, listenOnLoopback } from '../../../src/shared/loopback-server.js';
import { type Rpc, rpc } from './rpc.js';

export interface GatewayOptions {
  /**
   * Variant of the gateway. The source lists its agents as tools, answers their calls with a constant and announces
   * `experimental.agentEvents`. A running gateway was noted to do neither.
   */
  readonly like: 'noted' | 'source';
}

/** Agent as accepted by `agent/register`. The source keeps all fields. */
export interface GatewayAgent {
  readonly id: string;
  readonly [field: string]: unknown;
}

const METHOD_NOT_FOUND = { code: -32601, message: 'Method not found' };

/** Replica of VisionFlow's `mcp-gateway`. Agents register there, and subscribers receive their actions. */
export class McpGateway implements AsyncDisposable {
  /** Received methods and tools, in order. */
  readonly seen: string[] = [];
  /** Highest number of calls that waited for their answer at the same time. */
  mostAtOnce = 0;
  #waiters = 0;
  /** Number of rejected chunks. */
  refused = 0;
  readonly agents = new Map<string, GatewayAgent>();
  readonly port: Promise<number>;
  readonly #options: GatewayOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #subscribers = new Set<Socket>();
  readonly #subscriptions: (() => void)[] = [];
  /** Promise that delays the answers to `agent/list` until it resolves. */
  hold: Promise<void> = Promise.resolve();

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        this.#subscribers.delete(socket);
      });
      // DEVIATION: each chunk is parsed as one message. Chunks with two messages or half a message are rejected.
      socket.on('data', (chunk) => this.#chunk(socket, chunk.toString()));
    });
    this.port = listenOnLoopback(this.#server, 0);
  }

  register(agent: GatewayAgent): void {
    this.agents.set(agent.id, { ...agent, registeredAt: 1_795_446_110_463 + this.agents.size });
  }

  /** Resolves when a client has subscribed. */
  async subscribed(): Promise<void> {
    if (this.#subscribers.size === 0) await new Promise<void>((resolve) => this.#subscriptions.push(resolve));
  }

  /** Sends an event to all subscribers in the envelope of the original. DEVIATION: the method is not part of MCP. */
  act(event: Record<string, unknown>): void {
    const whole = { version: 3, id: 1, target_node_id: 7, action_type: 1, action_type_name: 'update', ...event };
    const params = { type: 'agent_action', event: whole, message_type: 0x23, protocol_version: 2 };
    for (const socket of this.#subscribers) socket.write(`${rpc({ method: 'notifications/agent_action', params })}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const end = closeServer(this.#server);
    for (const socket of this.#sockets) socket.destroy();
    await end;
  }

  #chunk(socket: Socket, chunk: string): void {
    let message: Rpc;
    try {
      message = JSON.parse(chunk) as Rpc; // written by the client under test
    } catch {
      this.refused += 1;
      socket.write(`${rpc({ error: { code: -32700, message: 'Parse error' }, id: null })}\n`);
      return;
    }
    const { id, method = '' } = message;
    this.seen.push(method);
    const answer = this.#answerTo(socket, message);
    // DEVIATION: notifications are answered with errors that have no id.
    const write = (): void => {
      this.#waiters -= 1;
      socket.write(`${rpc({ ...(id !== undefined && { id }), ...answer })}\n`);
    };
    this.#waiters += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#waiters);
    if (method === 'agent/list') this.hold.then(write, () => undefined);
    else write();
  }

  #answerTo(socket: Socket, { method, params }: Rpc): Rpc {
    const likeSource = this.#options.like === 'source';
    switch (method) {
      case 'initialize': {
        const serverInfo = likeSource ? { name: 'mcp-gateway', version: '2.0.0' } : { name: 'gateway', version: '1' };
        const capabilities = likeSource
          ? { tools: { listChanged: true }, experimental: { agentEvents: true } }
          : undefined;
        return { result: { protocolVersion: '2024-11-05', serverInfo, capabilities } };
      }
      case 'agent_events/subscribe':
        this.#subscribers.add(socket);
        for (const resolve of this.#subscriptions.splice(0)) resolve();
        return { result: { subscribed: true, session_id: 'tcp-1' } };
      // DEVIATION: it has its own methods instead of tools.
      case 'agent/list':
        return { result: { agents: [...this.agents.values()], count: this.agents.size } };
      case 'agent/register':
        this.register(params as GatewayAgent); // a test gives it
        return { result: { success: true, agentId: params?.['id'] } };
      case 'tools/list':
        if (!likeSource) return { error: METHOD_NOT_FOUND };
        return { result: { tools: [...this.agents.keys()].map((name) => ({ name, inputSchema: {} })) } };
      case 'tools/call':
        if (!likeSource) return { error: METHOD_NOT_FOUND };
        return { result: { content: [{ type: 'text', text: 'Tool executed via gateway' }] } };
      default:
        return { error: METHOD_NOT_FOUND };
    }
  }
}
