import { expect, test } from 'vitest';
import { pushOfTap } from '../../src/mcp/seen-call.js';
import { TAP_CALL } from '../../src/shared/index.js';

test('a call that a tap has seen is pushed with its answer, decoded like one of ours', () => {
  const params = { tool: 'agent_spawn', arguments: { type: 'coder' }, result: { content: [{ text: '{"id":"a"}' }] } };
  expect(pushOfTap(TAP_CALL, params)).toEqual({
    kind: 'CALL',
    tool: 'agent_spawn',
    args: { type: 'coder' },
    answer: { isError: false, value: { id: 'a' } },
  });
});

test('a call that was refused is pushed as one that failed', () => {
  const params = { tool: 'x', error: { code: -1, message: 'no such tool' } };
  const answer = { isError: true, value: 'no such tool' };
  expect(pushOfTap(TAP_CALL, params)).toEqual({ kind: 'CALL', tool: 'x', args: {}, answer });
});

test.each([
  [TAP_CALL, null],
  [TAP_CALL, { tool: 5, result: {} }],
  ['notifications/other', { tool: 'x', result: {} }],
])('%s with %j is a notification like any other', (method, params) => {
  expect(pushOfTap(method, params)).toEqual({ kind: 'NOTIFICATION', method, params });
});
