import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Secrets that no pattern recognizes, by the place of the configuration that contains them. */
export const PLANTED = {
  header: 'amber falcon "7" river',
  query: 'marble-heron-7',
  path: 'q7Xw2Lm9Rt4Vb8Nc',
  user: 'copper lynx 7',
  password: 'cop/per "lynx" 8',
  environment: 'velvet <otter> & 7',
  argument: 'granite-owl-7',
  host: `silent-crane-7-${'x'.repeat(64)}.example.test`,
  tcpToken: 'hollow-badger-7',
  jwt: 'timber-weasel-7-timber-weasel-7-timber-weasel-7',
} as const;

/** Forms of the planted secrets that no output may contain. */
export const PLANTED_FORMS: readonly string[] = Object.values(PLANTED).flatMap((secret) => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  encodeURIComponent(secret),
  encodeURI(secret),
  secret.toLowerCase(),
  Buffer.from(secret).toString('base64').slice(0, 18),
  secret.slice(0, 10),
]);

/** Returns the planted secrets in a text, with what surrounds them. */
export function plantedIn(text: string): string[] {
  return PLANTED_FORMS.filter((form) => text.includes(form)).map((form) => {
    const at = text.indexOf(form);
    return `${form}: …${text.slice(Math.max(0, at - 100), at + form.length + 20)}…`;
  });
}

/** HTTP server that answers every request with an error that repeats its path and headers. */
export class EchoServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<EchoServer> {
    const server = createServer((request, response) => {
      request.resume();
      const { url, headers } = request;
      // As a JSON-RPC error, as text, and as text that ends within a header.
      const rpc = { jsonrpc: '2.0', id: null, error: { code: -32000, message: JSON.stringify({ url, headers }) } };
      const text = `no: ${url ?? ''} ${JSON.stringify(headers)}`;
      const isRpc = url?.startsWith('/rpc') === true;
      response.writeHead(isRpc ? 400 : 503, { 'content-type': isRpc ? 'application/json' : 'text/plain' });
      response.end(isRpc ? JSON.stringify(rpc) : text);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new EchoServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // of a listening TCP server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Program that prints its arguments and environment, in two writes that split the secret, and ends without a last line break. */
const PRINTING = `
  const { PLANTED: value } = process.env;
  process.stderr.write(JSON.stringify({ argv: process.argv, env: process.env }) + '\\nshort: ' + value.slice(0, 10));
  setTimeout(() => process.stderr.write(value.slice(10) + '\\nlast: ' + value.slice(0, 12) + '…', () => process.exit(1)), 20);
`;

/** Returns entries of `mcpServers` whose failures repeat the planted secrets. */
export function echoingServers(port: number): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const { header, query, path, user, password, environment, argument, host, tcpToken } = PLANTED;
  const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const address = `${credentials}@127.0.0.1:${port}`;
  const tail = `${path}?api_key=${encodeURIComponent(query)}`;
  const headers = { 'x-tenant': header };
  return {
    web: { type: 'http', url: `http://${address}/web/${tail}`, headers },
    rpc: { type: 'http', url: `http://127.0.0.1:${port}/rpc/${tail}`, headers: { Authorization: `Bearer ${header}` } },
    events: { type: 'sse', url: `http://${address}/sse/${tail}`, headers },
    socket: { type: 'ws', url: `ws://${address}/ws/${tail}`, headers },
    printing: {
      command: process.execPath,
      args: ['--eval', PRINTING, '--', '--api-key', argument],
      env: { PLANTED: environment },
    },
    missing: { command: '/missing/program', args: [`--api-key=${argument}`], env: { PLANTED: environment } },
    nowhere: { type: 'tcp', host, port: 9, token: tcpToken },
    unknown: { type: 'http', url: `http://${host}/mcp/${tail}`, headers },
  };
}
