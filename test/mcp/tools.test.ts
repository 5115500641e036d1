import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type McpSession, ToolRejectedError } from '../../src/mcp/index.js';
import { call, connect, NO_TIMEOUT_MS, outcomeOf, recordingLogger, guarded } from './support.js';

describe('connectSession', () => {
  test('provides the identity, the tools and the process id of the server', async () => {
    await using session = await connect('plain');
    expect(session.identity).toEqual({ name: 'fixture', version: '1.2.3', simulated: false, capabilities: ['tools'] });
    expect(session.tools.map(({ name }) => name)).toContain('echo');
    expect(session.pid).toBeGreaterThan(0);
  });

  test('reads all pages of tools and omits malformed tools', async () => {
    await using session = await connect('paged');
    expect(session.tools).toEqual([
      { name: 'one', description: 'the first' },
      { name: 'two', description: null },
    ]);
  });

  test('does not list tools of a server without the capability', async () => {
    await using session = await connect('toolless');
    expect(session.tools).toEqual([]);
  });

  test('lists tools again and then calls onToolsChanged when the tools change', async () => {
    let notify: () => void = () => undefined;
    const change = new Promise<void>((resolve) => (notify = resolve));
    await using session = await connect('plain', { onToolsChanged: () => notify() });
    const before = session.tools.length;
    await call(session, 'grow');
    await change;
    expect(session.tools.map(({ name }) => name)).toContain('grown');
    expect(session.tools).toHaveLength(before + 1);
  });
});

describe('McpSession.callTool', () => {
  let session: McpSession;

  beforeAll(async () => {
    session = await connect('plain');
  });

  afterAll(() => session[Symbol.asyncDispose]());

  describe('with an answer', () => {
    test.each([
      ['parses JSON in a text block', 'echo', { a: [1, 'ü🐝'] }, { isError: false, value: { a: [1, 'ü🐝'] } }],
      ['keeps text that is not JSON', 'sentence', {}, { isError: false, value: 'all is well' }],
      ['prefers structured content to text', 'structured', {}, { isError: false, value: { from: 'structure' } }],
      ['marks an error result', 'failing', {}, { isError: true, value: { why: 'because' } }],
      ['returns null without content', 'bare', {}, { isError: false, value: null }],
      ['ignores unknown content blocks', 'odd', {}, { isError: false, value: { odd: true } }],
    ])('%s', async (_title, tool, args, answer) => {
      expect(await call(session, tool, args)).toEqual(answer);
    });

    test('rejects with the reason and the retry delay of the server', async () => {
      expect(await outcomeOf(call(session, 'refusing'))).toEqual(new ToolRejectedError('no such swarm', -32602));
      const busy = await outcomeOf(call(session, 'busy'));
      expect(busy).toBeInstanceOf(ToolRejectedError);
      expect(busy).toMatchObject({ rpcCode: -32000, retryAfterMs: 1_500 });
    });
  });

  describe('with a signal', () => {
    test('removes its listener from the signal after success, rejection and timeout', async () => {
      const { signal } = new AbortController();
      for (const tool of ['echo', 'refusing', 'mute']) {
        await outcomeOf(
          session.callTool(tool, {}, { signal: guarded(signal), timeoutMs: tool === 'mute' ? 10 : NO_TIMEOUT_MS }),
        );
      }
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });
  });
});

describe('session with a noisy server', () => {
  test('works despite noise, errors without an id and unknown notifications, and logs them once', async () => {
    const { logger, lines } = recordingLogger();
    await using session = await connect('noisy', { logger });
    for (let round = 0; round < 20; round += 1) {
      expect((await call(session, 'echo', { round })).value).toEqual({ round });
    }
    expect(lines).toEqual([
      {
        level: 'debug',
        message: 'unexpected message from server',
        fields: { serverId: 'fixture', count: 1, last: 'not a message: 🐝 starting …' },
      },
    ]);
  });
});
