import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type McpSession, ToolRejectedError } from '../../src/mcp/index.js';
import { call, connect, NO_TIMEOUT_MS, outcomeOf, recordingLogger } from './support.js';

describe('handshake', () => {
  test('tells who the server is and what it offers', async () => {
    await using session = await connect('plain');
    expect(session.identity).toEqual({ name: 'fixture', version: '1.2.3', simulated: false, capabilities: ['tools'] });
    expect(session.tools.map(({ name }) => name)).toContain('echo');
    expect(session.pid).toBeGreaterThan(0);
  });

  test('all pages of the tools are read, and one that is malformed is left out', async () => {
    await using session = await connect('paged');
    expect(session.tools).toEqual([
      { name: 'one', description: 'the first' },
      { name: 'two', description: null },
    ]);
  });

  test('a server without the capability has no tools, and is not asked', async () => {
    await using session = await connect('toolless');
    expect(session.tools).toEqual([]);
  });

  test('tools that change are listed again, and then told', async () => {
    let told: () => void = () => undefined;
    const change = new Promise<void>((resolve) => (told = resolve));
    await using session = await connect('plain', { onToolsChanged: () => told() });
    const before = session.tools.length;
    await call(session, 'grow');
    await change;
    expect(session.tools.map(({ name }) => name)).toContain('grown');
    expect(session.tools).toHaveLength(before + 1);
  });
});

describe('one session', () => {
  let session: McpSession;

  beforeAll(async () => {
    session = await connect('plain');
  });

  afterAll(() => session[Symbol.asyncDispose]());

  describe('an answer', () => {
    test.each([
      ['JSON in a text block is parsed', 'echo', { a: [1, 'ü🐝'] }, { isError: false, value: { a: [1, 'ü🐝'] } }],
      ['text that is no JSON stays text', 'sentence', {}, { isError: false, value: 'all is well' }],
      ['structured content goes before text', 'structured', {}, { isError: false, value: { from: 'structure' } }],
      ['an error result is one', 'failing', {}, { isError: true, value: { why: 'because' } }],
      ['no content is null', 'bare', {}, { isError: false, value: null }],
      ['odd blocks are passed over', 'odd', {}, { isError: false, value: { odd: true } }],
    ])('%s', async (_what, tool, args, answer) => {
      expect(await call(session, tool, args)).toEqual(answer);
    });

    test('a refusal says why, and how long to wait when the server says so', async () => {
      expect(await outcomeOf(call(session, 'refusing'))).toEqual(new ToolRejectedError('no such swarm', -32602));
      const busy = await outcomeOf(call(session, 'busy'));
      expect(busy).toBeInstanceOf(ToolRejectedError);
      expect(busy).toMatchObject({ rpcCode: -32000, retryAfterMs: 1_500 });
    });
  });

  describe('a call', () => {
    test('leaves no listener on its signal, however it ends', async () => {
      const { signal } = new AbortController();
      for (const tool of ['echo', 'refusing', 'mute']) {
        await outcomeOf(session.callTool(tool, {}, { signal, timeoutMs: tool === 'mute' ? 10 : NO_TIMEOUT_MS }));
      }
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });
  });
});

describe('manners of real servers', () => {
  test('noise on stdout, errors without id and unknown notifications cost nothing but one line of log', async () => {
    const { logger, lines } = recordingLogger();
    await using session = await connect('noisy', { logger });
    for (let round = 0; round < 20; round += 1) {
      expect((await call(session, 'echo', { round })).value).toEqual({ round });
    }
    expect(lines).toEqual([
      {
        level: 'debug',
        message: 'server sent what belongs to no call',
        fields: { serverId: 'fixture', count: 1, last: 'not a message: 🐝 starting …' },
      },
    ]);
  });
});
