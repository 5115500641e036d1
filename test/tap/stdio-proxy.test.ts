import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StdioProxy, type StdioProxyEvents } from '../../src/tap/stdio-proxy.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { runs } from '../support/fuzz-inputs.js';

const PREFIX = 'swarmlens-0af3-';
const NO_EVENTS: StdioProxyEvents = {
  onCall: () => undefined,
  onToolsChanged: () => undefined,
  onInitialized: () => undefined,
};

/** Proxy with a client and a server in this process. */
class Harness {
  readonly clock = new ManualClock();
  readonly client = { input: new PassThrough(), output: new PassThrough() };
  readonly server = { input: new PassThrough(), output: new PassThrough() };
  readonly proxy: StdioProxy;
  toServer = '';
  toClient = '';

  constructor(events: Partial<StdioProxyEvents> = {}) {
    this.proxy = new StdioProxy(this, PREFIX, this.clock, { ...NO_EVENTS, ...events });
    this.server.input.on('data', (chunk: Buffer) => (this.toServer += chunk.toString('latin1')));
    this.client.output.on('data', (chunk: Buffer) => (this.toClient += chunk.toString('latin1')));
  }

  async clientWrites(text: string | Buffer): Promise<void> {
    this.client.input.write(text);
    await settled();
  }

  async serverWrites(text: string | Buffer): Promise<void> {
    this.server.output.write(text);
    await settled();
  }

  /** Performs the handshake and clears the recorded output. */
  async initialize(): Promise<void> {
    await this.clientWrites('{"id":0,"method":"initialize"}\n');
    await this.serverWrites('{"id":0,"result":{}}\n');
    await this.clientWrites('{"method":"notifications/initialized"}\n');
    this.toServer = '';
    this.toClient = '';
  }

  call(): unknown[] {
    const answers: unknown[] = [];
    this.proxy.call({ method: 'tools/call', params: {} }, (answer) => answers.push(answer));
    return answers;
  }
}

const OWN = new RegExp(`\\{[^\\n]*"id":"(${PREFIX}\\d+)"[^\\n]*\\}\\n`, 'g');

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const jsonLine = fc
  .record({ id: fc.integer({ min: 1, max: 3 }), method: fc.constantFrom('tools/call', 'ping', undefined) })
  .map((message) => Buffer.from(`${JSON.stringify({ ...message, ...(message.method ? {} : { result: {} }) })}\n`));
const piece = fc.oneof(
  bytes,
  jsonLine,
  jsonLine.map((line) => line.subarray(0, 9)),
  fc.constant(Buffer.from('\n')),
);
const step = fc.oneof(
  piece.map((chunk) => ({ kind: 'CLIENT' as const, chunk })),
  piece.map((chunk) => ({ kind: 'SERVER' as const, chunk })),
  fc.constant({ kind: 'CALL' as const }),
  fc.boolean().map((isIdFirst) => ({ kind: 'ANSWER' as const, isIdFirst })),
);

describe('StdioProxy', () => {
  test('for any traffic: each side receives every byte of the other, and injected calls arrive between two lines', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const harness = new Harness();
        await harness.initialize();
        let sent = '';
        let answered = '';
        let isAtLineStart = true;
        const open: string[] = [];
        const callsSeen = (): string[] => [...harness.toServer.matchAll(OWN)].map(([, id = '']) => id);
        let handled = 0;
        for (const one of steps) {
          if (one.kind === 'CLIENT') {
            sent += one.chunk.toString('latin1');
            await harness.clientWrites(one.chunk);
          } else if (one.kind === 'SERVER') {
            answered += one.chunk.toString('latin1');
            if (one.chunk.length > 0) isAtLineStart = one.chunk.at(-1) === 0x0a;
            await harness.serverWrites(one.chunk);
          } else if (one.kind === 'CALL') {
            harness.call();
            await settled();
          } else {
            const all = callsSeen();
            open.push(...all.slice(handled));
            handled = all.length;
            const id = open.shift();
            if (id === undefined) continue;
            // A server writes whole lines, so it finishes the current line first.
            if (!isAtLineStart) {
              answered += '\n';
              await harness.serverWrites('\n');
              isAtLineStart = true;
            }
            const answer = one.isIdFirst ? { id, result: { a: 1 } } : { result: { a: 1 }, id };
            const text = `${JSON.stringify(answer)}\n`;
            await harness.serverWrites(text.slice(0, 7));
            await harness.serverWrites(text.slice(7));
          }
        }
        harness.client.input.end();
        harness.server.output.end();
        await settled();
        expect(harness.toServer.replaceAll(OWN, '')).toBe(sent);
        expect(harness.toClient).toBe(answered);
        const ids = callsSeen();
        expect(new Set(ids).size).toBe(ids.length);
        for (const { index } of harness.toServer.matchAll(OWN)) {
          expect(index === 0 || harness.toServer[index - 1] === '\n').toBe(true);
        }
      }),
      runs(100),
    );
  });

  test('holds an injected call until the client line ends and all client calls are answered', async () => {
    const harness = new Harness();
    const answers = harness.call();
    expect(harness.toServer).toBe('');
    await harness.initialize();
    expect(answers).toEqual([]);
    const [first] = harness.call();
    expect(first).toBeUndefined();
    await harness.serverWrites(`{"id":"${PREFIX}1","result":{"n":1}}\n`);
    await harness.serverWrites(`{"id":"${PREFIX}2","result":{"n":2}}\n`);
    expect(answers).toEqual([{ result: { n: 1 } }]);
    harness.toServer = '';
    const one = '{"id":1,"method":"tools/call","params":{"name":"a"}}\n';
    const two = '{"id":2,"method":"tools/call","params":{"name":"b"}}\n';
    await harness.clientWrites(one + two.slice(0, 10));
    harness.call();
    await harness.serverWrites('{"id":1,"result":{}}\n');
    expect(harness.toServer).toBe(one + two.slice(0, 10));
    await harness.clientWrites(two.slice(10));
    expect(harness.toServer).toBe(one + two);
    await harness.serverWrites('{"result":{},"id":2}\n');
    expect(harness.toServer.startsWith(one + two)).toBe(true);
    expect(harness.toServer.slice((one + two).length)).toContain(`"id":"${PREFIX}3"`);
  });

  test('forwards a client call immediately while an injected call is in flight', async () => {
    const harness = new Harness();
    await harness.initialize();
    const answers = harness.call();
    const call = '{"id":1,"method":"tools/call","params":{"name":"a"}}\n';
    harness.toServer = '';
    await harness.clientWrites(call);
    expect(harness.toServer).toBe(call);
    await harness.serverWrites('{"id":1,"result":1}\n');
    expect(harness.toClient).toBe('{"id":1,"result":1}\n');
    expect(answers).toEqual([]);
    await harness.serverWrites(`{"result":{},"id":"${PREFIX}1"}\n`);
    expect(answers).toEqual([{ result: {} }]);
    expect(harness.toClient).toBe('{"id":1,"result":1}\n');
  });

  test('removes a late response to an injected call that timed out', async () => {
    const harness = new Harness();
    await harness.initialize();
    const answers = harness.call();
    harness.clock.advance(10_000);
    expect(answers).toEqual([{ error: expect.objectContaining({ code: -32_000 }) }]);
    await harness.serverWrites(`{"result":{"late":1},`);
    await harness.serverWrites(`"id":"${PREFIX}1"}\nnext`);
    expect(harness.toClient).toBe('next');
  });

  test('forwards all bytes when an observer throws', async () => {
    const harness = new Harness({
      onCall: () => {
        throw new Error('broken');
      },
    });
    await harness.initialize();
    const sent = '{"id":1,"method":"tools/call","params":{"name":"a"}}\n';
    await harness.clientWrites(sent);
    await harness.serverWrites('{"id":1,"result":1}\n');
    await harness.clientWrites('more');
    expect(harness.toServer).toBe(`${sent}more`);
    expect(harness.toClient).toBe('{"id":1,"result":1}\n');
  });

  test('forwards a line of more than 10 MB without parsing it', async () => {
    const harness = new Harness();
    await harness.initialize();
    const long = `{"id":1,"method":"tools/call","params":{"name":"${'x'.repeat(11 * 1024 * 1024)}"}}\n`;
    for (let start = 0; start < long.length; start += 65_536)
      await harness.clientWrites(long.slice(start, start + 65_536));
    expect(harness.toServer === long).toBe(true);
    // The unparsed call does not delay injected calls.
    harness.toServer = '';
    harness.call();
    expect(harness.toServer).toContain(`"id":"${PREFIX}1"`);
  });
});
