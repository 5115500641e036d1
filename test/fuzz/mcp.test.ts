import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type JSONRPCMessage, parseJSONRPCMessage } from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CompatibleTransport } from '../../src/mcp/compatible.js';
import { SessionClosedError, ToolCallTimeoutError, ToolRejectedError, TransportError } from '../../src/mcp/errors.js';
import { FrameSplitter } from '../../src/mcp/frame-splitter.js';
import { connectSession } from '../../src/mcp/index.js';
import { LineSplitter } from '../../src/mcp/line-splitter.js';
import { LineTransport } from '../../src/mcp/line-transport.js';
import { chunksOf, connectOptions, NEVER, outcomeOf } from '../mcp/support.js';
import { garbage, hostileValue, mutatedJson, runs } from '../support/hostile.js';
import { settled } from '../support/manual-clock.js';

const GREETING = {
  protocolVersion: '2025-06-18',
  serverInfo: { name: 'daa', version: '1' },
  capabilities: { tools: {} },
};
const GATEWAY = { ...GREETING, capabilities: { experimental: { agentEvents: true } } };
const TOOLS = { tools: [{ name: 'agent_list', inputSchema: { type: 'object' } }], agents: [{ id: 'a' }] };
const RESULT = {
  content: [{ type: 'text', text: '{"agents":[]}' }],
  structuredContent: { agents: [] },
  isError: false,
};

/** Lines that a server writes: answers to any of the first requests, notifications, errors that answer nobody, and none of these. */
const written = fc.oneof(
  fc
    .record({
      jsonrpc: fc.constant('2.0'),
      id: fc.oneof(fc.nat(3), hostileValue),
      result: fc.constantFrom<unknown>(GREETING, GATEWAY, TOOLS, RESULT, { authenticated: true }),
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

/** What a server writes, as a test hands it over, to the readers of lines and of frames. */
class Fed extends LineTransport {
  readonly sent: JSONRPCMessage[] = [];
  readonly noises: string[] = [];
  readonly feed: (chunk: Buffer) => void;

  constructor(inFrames: boolean) {
    super();
    const splitter = new (inFrames ? FrameSplitter : LineSplitter)(
      100_000,
      (line) => this.read(line),
      () => this.lost('too long'),
    );
    this.feed = (chunk) => splitter.push(chunk);
  }

  override start(): Promise<void> {
    return Promise.resolve();
  }

  override send(message: JSONRPCMessage): Promise<void> {
    this.sent.push(message);
    return Promise.resolve();
  }

  protected override noise(line: string): void {
    this.noises.push(line);
  }

  protected override release(): Promise<void> {
    return Promise.resolve();
  }
}

test('whatever a server writes, the layer above gets whole messages, or nothing, and is let go in the end', async () => {
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(written, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.record({ inFrames: fc.boolean(), isStream: fc.boolean(), token: fc.option(fc.constant('t')) }),
      async (lines, cuts, { inFrames, isStream, token }) => {
        const inner = new Fed(inFrames);
        const transport = new CompatibleTransport(inner, { token, isStream });
        const got: JSONRPCMessage[] = [];
        transport.onmessage = (message) => got.push(message);
        let closings = 0;
        transport.onclose = () => (closings += 1);
        const started = outcomeOf(transport.start());
        const asked: readonly JSONRPCMessage[] = [
          { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} },
          { jsonrpc: '2.0', method: 'notifications/initialized' },
          { jsonrpc: '2.0', id: 1, method: 'tools/list' },
          { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'agent/list', arguments: {} } },
        ];
        const sent = Promise.all(asked.map((message) => outcomeOf(transport.send(message))));
        for (const chunk of chunksOf(Buffer.from(lines.map((line) => `${line}\n`).join('')), cuts)) inner.feed(chunk);
        await settled();
        await transport.close();
        // Nothing waits for a server that is gone.
        await Promise.all([started, sent]);
        expect(closings).toBe(1);
        for (const message of got) expect(parseJSONRPCMessage(message)).toEqual(message);
        passed += got.length;
      },
    ),
    runs(300),
  );
  expect(passed).toBeGreaterThan(100);
});

/** Stands in an answer for the id that the client has given the request. */
const ID = 'the id';

let server: Server;
/** Of the connection to come: what is written after each line that comes. */
let script: readonly string[] = [];

function play(socket: Socket): void {
  const left = [...script];
  socket.on('error', () => undefined);
  socket.on('data', (line: Buffer) => {
    const next = left.shift();
    const id = /"id":("[^"]*")/.exec(line.toString())?.[1] ?? 'null';
    if (next === undefined) socket.end();
    else socket.write(`${next.replace(`"${ID}"`, id)}\n`);
  });
}

beforeAll(async () => {
  server = createServer(play).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => server.close());

/** Of the messages that connecting and a call wait for, some as they should be and some not. */
const answers = fc.tuple(
  ...[GREETING, TOOLS, RESULT].map((result) =>
    fc.oneof(
      fc.constant(JSON.stringify({ jsonrpc: '2.0', id: ID, result })),
      mutatedJson({ jsonrpc: '2.0', id: ID, result }),
      garbage.map((bytes) => bytes.toString('latin1')),
    ),
  ),
);

/** Of waiting for what does not come. */
const PATIENCE_MS = 20;

test('whatever a server answers over TCP, connecting and calling end, with an answer or an error that has a name', async () => {
  const { port } = server.address() as AddressInfo; // of a listening TCP server
  let connected = 0;
  await fc.assert(
    fc.asyncProperty(answers, async (given) => {
      script = given;
      const endpoint = { type: 'tcp', host: '127.0.0.1', port, token: null } as const;
      const session = await outcomeOf(connectSession(endpoint, connectOptions({ connectTimeoutMs: PATIENCE_MS })));
      if (session instanceof Error) {
        expect(session).toBeInstanceOf(TransportError);
        return;
      }
      connected += 1;
      await using open = session as Awaited<ReturnType<typeof connectSession>>; // it is no error
      const answer = await outcomeOf(open.callTool('agent_list', {}, { signal: NEVER, timeoutMs: PATIENCE_MS }));
      if (!(answer instanceof Error)) return;
      const named = [ToolRejectedError, ToolCallTimeoutError, SessionClosedError, TransportError];
      expect(
        named.some((kind) => answer instanceof kind),
        answer.stack,
      ).toBe(true);
    }),
    runs(60),
  );
  expect(connected).toBeGreaterThan(0);
});
