import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import { closeServer, listenOnLoopback } from '../../../src/shared/loopback-server.js';
import { nameOf, type Rpc, rpc } from './rpc.js';

export interface DaaOptions {
  /** HTTP status of error responses. The original uses 500; with 200 only the body contains the error. @default 500 */
  readonly errorStatus?: 200 | 500;
}

export interface DaaAgent {
  readonly id: string;
  readonly name: string;
  readonly agent_type: string;
  status: 'starting' | 'running' | 'paused' | 'stopping' | 'stopped' | 'error';
}

/** Error with a message of the original server. */
class DaaError extends Error {
  override readonly name = 'DaaError';
}

const TOOLS = ['list_agents', 'get_agent_info', 'pause_agent', 'list_tasks', 'get_swarm_status', 'healthcheck'];

/** Replica of the DAA project's own server: `POST /mcp`, `GET /mcp/ws`, `GET /health`, `GET /stats`. */
export class DaaMcp implements AsyncDisposable {
  /** Received requests in order, such as `http initialize` and `ws list_agents`. */
  readonly seen: string[] = [];
  readonly agents = new Map<string, DaaAgent>();
  readonly port: Promise<number>;
  readonly #options: DaaOptions;
  readonly #http: Server;
  readonly #wss = new WebSocketServer({ noServer: true });

  constructor(options: DaaOptions = {}) {
    this.#options = options;
    this.#http = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
    this.#http.on('upgrade', (request, socket, head) => {
      if (request.url !== '/mcp/ws') socket.destroy();
      else
        this.#wss.handleUpgrade(request, socket, head, (ws) => {
          ws.on('error', () => ws.terminate());
          ws.on('message', (data: Buffer) => ws.send(this.#answer('ws', data.toString()).body));
        });
    });
    this.port = listenOnLoopback(this.#http, 0);
  }

  spawn(agent: DaaAgent): void {
    this.agents.set(agent.id, agent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const end = closeServer(this.#http);
    for (const socket of this.#wss.clients) socket.terminate();
    this.#http.closeAllConnections();
    await end;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url } = request;
    const json = { 'content-type': 'application/json' };
    if (method === 'GET' && url === '/health') {
      response.writeHead(200, json).end('{"status":"healthy","service":"daa-mcp-server"}');
    } else if (method === 'GET' && url === '/stats') {
      response.writeHead(200, json).end(JSON.stringify({ stats: { agents: this.agents.size, tasks: 0 } }));
    } else if (url !== '/mcp') response.writeHead(404).end();
    else if (method !== 'POST') response.writeHead(405, { allow: 'POST' }).end();
    else {
      const { body, isError } = this.#answer('http', await readText(request));
      response.writeHead(isError ? (this.#options.errorStatus ?? 500) : 200, json).end(body);
    }
  }

  #answer(over: 'http' | 'ws', text: string): { readonly body: string; readonly isError: boolean } {
    const message = JSON.parse(text) as Rpc; // written by the client under test
    this.seen.push(`${over} ${nameOf(message)}`);
    const { id } = message;
    try {
      const result = this.#resultOf(message);
      return { body: rpc({ ...(id !== undefined && { id }), result }), isError: false };
    } catch (error) {
      if (!(error instanceof DaaError)) throw error;
      // DEVIATION: errors have no id.
      return { body: rpc({ error: { code: -32603, message: error.message } }), isError: true };
    }
  }

  #resultOf({ method = '', params = {} }: Rpc): unknown {
    switch (method) {
      case 'initialize': {
        const list = { listChanged: true };
        const capabilities = { tools: list, resources: { subscribe: true, ...list }, prompts: list };
        return {
          protocolVersion: '2025-03-26',
          capabilities,
          serverInfo: { name: 'daa-mcp-server', version: '0.2.0' },
        };
      }
      case 'tools/list':
        return { tools: TOOLS.map((name) => ({ name, description: name, inputSchema: { type: 'object' } })) };
      case 'tools/call':
        return this.#call(String(params['name']), params['arguments'] as Record<string, unknown>); // a client's
      case 'resources/list':
        return {
          resources: [{ uri: 'daa://agents', name: 'agents', mime_type: 'application/json', annotations: null }],
        };
      default:
        // DEVIATION: notifications are answered with an error for unknown methods.
        throw new DaaError(`Protocol error: Unknown method: ${method}`);
    }
  }

  #call(tool: string, args: Record<string, unknown>): unknown {
    switch (tool) {
      case 'list_agents': {
        const agents = [...this.agents.values()].map((agent) => ({ ...agent, ...FIXED }));
        return structured({ agents, total_count: agents.length });
      }
      case 'list_tasks':
        return structured({ tasks: [], total_count: 0 });
      case 'get_swarm_status':
        return structured({ total_agents: this.agents.size, active_agents: 0, total_messages: 0 });
      case 'pause_agent': {
        const agent = this.agents.get(String(args['agent_id']));
        if (agent === undefined) throw new DaaError(`Agent not found: ${String(args['agent_id'])}`);
        agent.status = 'paused';
        return { content: [{ type: 'text', text: `Successfully paused agent: ${agent.id}` }], isError: false };
      }
      default:
        throw new DaaError(`Invalid tool: Unknown tool: ${tool}`);
    }
  }
}

const FIXED = {
  capabilities: ['search'],
  endpoint: 'http://localhost:3017',
  created_at: '2026-11-23T15:02:56.464123456Z',
  last_seen: '2026-11-23T15:02:57.5Z',
  metadata: {},
};

/**
 * Wraps a value as tool result. DEVIATION: a content type unknown to MCP, `annotations` that are null, and `mime_type`
 * instead of `mimeType`.
 */
function structured(value: unknown): unknown {
  const text = JSON.stringify(value, null, 2);
  return {
    content: [{ type: 'application/json', text, annotations: null, mime_type: 'application/json' }],
    isError: false,
  };
}
