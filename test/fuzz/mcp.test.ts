import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type JSONRPCMessage, parseJSONRPCMessage } from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CompatibilityTransport } from '../../src/mcp/compatibility/compatibility-transport.js';
import { SessionClosedError, ToolCallTimeoutError, ToolRejectedError, TransportError } from '../../src/mcp/errors.js';
import { FrameSplitter } from '../../src/mcp/transports/websocket/frame-splitter.js';
import { connectSession } from '../../src/mcp/index.js';
import { LineSplitter } from '../../src/shared/line-splitter.js';
import { LineTransport } from '../../src/mcp/transports/line-transport.js';
import { chunksOf, connectOptions, NEVER, outcomeOf } from '../mcp/support.js';
import { garbage, hostileValue, mutatedJson, runs } from '../support/fuzz-inputs.js';
import { settled } from '../support/manual-clock.js';

const INITIALIZE_RESULT = {
  protocolVersion: '2025-06-18',
  serverInfo: { name: 'daa', version: '1' },
  capabilities: { tools: {} },
};
const GATEWAY = { ...INITIALIZE_RESULT, capabilities: { experimental: { agentEvents: true } } };
const TOOLS = { tools: [{ name: 'agent_list', inputSchema: { type: 'object' } }], agents: [{ id: 'a' }] };
const RESULT = {
  content: [{ type: 'text', text: '{"agents":[]}' }],
  structuredContent: { agents: [] },
  isError: false,
};

/** Lines that a server writes: responses to the first requests, notifications, errors without a request, and any other text. */
const serverLines = fc.oneof(
  fc
    .record({
      jsonrpc: fc.constant('2.0'),
      id: fc.oneof(fc.nat(3), hostileValue),
      result: fc.constantFrom<unknown>(INITIALIZE_RESULT, GATEWAY, TOOLS, RESULT, { authenticated: true }),
    })
    .chain(mutatedJson),
  fc
    .record({
      jsonrpc: fc.constant('2.0'),
      id: fc.oneof(fc.nat(3), fc.constant(null), hostileValue),
      error: fc.record({
        code: fc.constantFrom(-32601, -32000, -32600),
        message: fc.constantFrom('Method not found', 'Rate limit exceeded', 'Not authenticated'),
        data: hostileValue,
      }),
    })
    .chain(mutatedJson),
  fc
    .record({
      jsonrpc: fc.constant('2.0'),
      method: fc.constantFrom('notifications/tools/list_changed', 'notifications/message', 'agent_event', 'ping', 'x'),
      id: fc.option(fc.nat(3), { nil: undefined }),
      params: hostileValue,
    })
    .chain(mutatedJson),
  hostileValue.map((value) => JSON.stringify({ error: value })),
  garbage.map((bytes) => bytes.toString('latin1')),
);

/** Transport whose input a test provides, split into lines or frames. */
class FedTransport extends LineTransport {
  readonly sent: JSONRPCMessage[] = [];
  readonly noises: string[] = [];
  readonly feed: (chunk: Buffer) => void;

  constructor(inFrames: boolean) {
    super();
    const splitter = new (inFrames ? FrameSplitter : LineSplitter)(
      100_000,
      (line) => this.read(line),
      () => this.fail('too long'),
    );
    this.feed = (chunk) => splitter.push(chunk);
  }

  override start(): Promise<void> {
    return Promise.resolve();
  }

  protected override setPaused(): void {
    // Nothing is read from a source.
  }

  override send(message: JSONRPCMessage): Promise<void> {
    this.sent.push(message);
    return Promise.resolve();
  }

  protected override reportNoise(line: string): void {
    this.noises.push(line);
  }

  protected override release(): Promise<void> {
    return Promise.resolve();
  }
}

test('for any server output: CompatibilityTransport passes on only valid messages and closes once', async () => {
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(serverLines, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.record({ inFrames: fc.boolean(), isStream: fc.boolean(), token: fc.option(fc.constant('t')) }),
      async (lines, cuts, { inFrames, isStream, token }) => {
        const inner = new FedTransport(inFrames);
        const transport = new CompatibilityTransport(inner, { token, isStream });
        const received: JSONRPCMessage[] = [];
        transport.onmessage = (message) => received.push(message);
        let closings = 0;
        transport.onclose = () => (closings += 1);
        const started = outcomeOf(transport.start());
        const requests: readonly JSONRPCMessage[] = [
          { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} },
          { jsonrpc: '2.0', method: 'notifications/initialized' },
          { jsonrpc: '2.0', id: 1, method: 'tools/list' },
          { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'agent/list', arguments: {} } },
        ];
        const sent = Promise.all(requests.map((message) => outcomeOf(transport.send(message))));
        for (const chunk of chunksOf(Buffer.from(lines.map((line) => `${line}\n`).join('')), cuts)) inner.feed(chunk);
        await settled();
        await transport.close();
        // No request waits after the close.
        await Promise.all([started, sent]);
        expect(closings).toBe(1);
        for (const message of received) expect(parseJSONRPCMessage(message)).toEqual(message);
        passed += received.length;
      },
    ),
    runs(300),
  );
  expect(passed).toBeGreaterThan(100);
});

/** Placeholder of a response for the id of its request. */
const ID = 'the id';

let server: Server;
/** Responses on the next connection, one per received line. */
let script: readonly string[] = [];

function respond(socket: Socket): void {
  const remaining = [...script];
  socket.on('error', () => undefined);
  socket.on('data', (line: Buffer) => {
    const next = remaining.shift();
    const id = /"id":("[^"]*")/.exec(line.toString())?.[1] ?? 'null';
    if (next === undefined) socket.end();
    else socket.write(`${next.replace(`"${ID}"`, id)}\n`);
  });
}

beforeAll(async () => {
  server = createServer(respond).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => server.close());

/** Valid and invalid responses to the requests of connecting and of one call. */
const responses = fc.tuple(
  ...[INITIALIZE_RESULT, TOOLS, RESULT].map((result) =>
    fc.oneof(
      fc.constant(JSON.stringify({ jsonrpc: '2.0', id: ID, result })),
      mutatedJson({ jsonrpc: '2.0', id: ID, result }),
      garbage.map((bytes) => bytes.toString('latin1')),
    ),
  ),
);

/** Timeout in milliseconds for responses that never arrive. */
const TIMEOUT_MS = 20;

test('for any responses over TCP: connecting and calling end with a result or an error of a known class', async () => {
  const { port } = server.address() as AddressInfo; // a TCP server has a port
  let connected = 0;
  await fc.assert(
    fc.asyncProperty(responses, async (answers) => {
      script = answers;
      const endpoint = { type: 'tcp', host: '127.0.0.1', port, token: null } as const;
      const session = await outcomeOf(connectSession(endpoint, connectOptions({ connectTimeoutMs: TIMEOUT_MS })));
      if (session instanceof Error) {
        expect(session).toBeInstanceOf(TransportError);
        return;
      }
      connected += 1;
      await using open = session as Awaited<ReturnType<typeof connectSession>>; // a session, because it is no error
      const answer = await outcomeOf(open.callTool('agent_list', {}, { signal: NEVER, timeoutMs: TIMEOUT_MS }));
      if (!(answer instanceof Error)) return;
      const knownErrors = [ToolRejectedError, ToolCallTimeoutError, SessionClosedError, TransportError];
      expect(
        knownErrors.some((kind) => answer instanceof kind),
        answer.stack,
      ).toBe(true);
    }),
    runs(60),
  );
  expect(connected).toBeGreaterThan(0);
});
