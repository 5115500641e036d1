import { createInterface } from 'node:readline';

/** Writes one JSON-RPC message. */
export function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

export const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });

const INITIALIZED = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'fixture', version: '1.2.3' },
};

/**
 * Serves MCP over stdio without a library, so that each fixture can deviate from the specification. `methods` maps a
 * method to its result, or to a function of its params that returns the result. Without a result there is no answer. A
 * thrown object `{code, message}` becomes an error, and so does an unknown method. `onNotification` receives notifications.
 */
export function serve(methods, onNotification = () => undefined) {
  const answers = { initialize: INITIALIZED, 'tools/list': { tools: [] }, ...methods };
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) {
      onNotification(method, params);
      return;
    }
    try {
      if (!Object.hasOwn(answers, method)) throw { code: -32601, message: `Method not found: ${method}` };
      const answer = answers[method];
      const result = typeof answer === 'function' ? answer(params, id) : answer;
      if (result !== undefined) send({ id, result });
    } catch (error) {
      send({ id, error });
    }
  });
}

/** Returns the methods `tools/list` and `tools/call` for an object of functions. */
export function tools(functions) {
  return {
    'tools/list': () => ({ tools: Object.keys(functions).map((name) => ({ name, inputSchema: { type: 'object' } })) }),
    'tools/call': ({ name, arguments: args }, id) => functions[name](args, id),
  };
}
