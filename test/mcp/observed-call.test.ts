import { describe, expect, test } from 'vitest';
import { parseSessionEvent } from '../../src/mcp/session-events.js';
import { TAP_CALL_METHOD } from '../../src/shared/index.js';

const TAPPED = { isTapped: true, onChanges: () => undefined };

describe('parseSessionEvent', () => {
  test('returns an observed call with its decoded answer', async () => {
    const params = { tool: 'agent_spawn', arguments: { type: 'coder' }, result: { content: [{ text: '{"id":"a"}' }] } };
    expect(await parseSessionEvent(TAP_CALL_METHOD, params, TAPPED)).toEqual({
      kind: 'CALL',
      tool: 'agent_spawn',
      args: { type: 'coder' },
      answer: { isError: false, value: { id: 'a' } },
    });
  });

  test('returns a rejected call with an error answer', async () => {
    const params = { tool: 'x', error: { code: -1, message: 'no such tool' } };
    const answer = { isError: true, value: 'no such tool' };
    expect(await parseSessionEvent(TAP_CALL_METHOD, params, TAPPED)).toEqual({
      kind: 'CALL',
      tool: 'x',
      args: {},
      answer,
    });
  });

  test.each([
    [TAP_CALL_METHOD, null],
    [TAP_CALL_METHOD, { tool: 5, result: {} }],
    ['notifications/other', { tool: 'x', result: {} }],
  ])('returns a plain notification for %s with %j', async (method, params) => {
    expect(await parseSessionEvent(method, params, TAPPED)).toEqual({ kind: 'NOTIFICATION', method, params });
  });

  test('returns a plain notification when the session has no tap', async () => {
    const params = { tool: 'agent_spawn', result: { content: [] } };
    const push = await parseSessionEvent(TAP_CALL_METHOD, params, { ...TAPPED, isTapped: false });
    expect(push).toEqual({ kind: 'NOTIFICATION', method: TAP_CALL_METHOD, params });
  });

  test('keeps a long list complete and redacts secrets in answer and arguments', async () => {
    const secret = ['swarm', 'pass', 'word'].join('-');
    const agents = Array.from({ length: 2_000 }, (_, index) => ({
      id: `agent-${index}`,
      capabilities: ['code', 'test'],
    }));
    const text = JSON.stringify({ agents: [...agents, { id: 'last', password: secret }] });
    let changed = 0;
    const push = await parseSessionEvent(
      TAP_CALL_METHOD,
      { tool: 'agent_list', arguments: { password: secret }, result: { content: [{ type: 'text', text }] } },
      { isTapped: true, onChanges: () => (changed += 1) },
    );
    expect(push).toMatchObject({ kind: 'CALL', answer: { value: { agents: expect.any(Array) } } });
    expect(JSON.stringify(push)).toContain('agent-1999');
    expect(JSON.stringify(push)).not.toContain(secret);
    expect(changed).toBe(2);
  });
});
