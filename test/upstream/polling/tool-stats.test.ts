import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ToolStats } from '../../../src/upstream/pool/tool-stats.js';
import { CircuitOpenError } from '../../../src/upstream/guard/errors.js';
import { type ToolCallResult, ToolCallTimeoutError, ToolRejectedError } from '../../../src/mcp/index.js';
import { outcomeOf } from '../guard/support.js';
import { ManualClock } from '../../support/manual-clock.js';

const NEVER = new AbortController().signal;

describe('ToolStats', () => {
  test('counts calls and failures, and measures the latency of answers', async () => {
    const clock = new ManualClock();
    const stats = new ToolStats(clock);
    for (const ms of [10, 20, 30]) {
      const answer = async (): Promise<{ isError: boolean; value: unknown }> => {
        clock.advance(ms);
        return Promise.resolve({ isError: ms === 30, value: ms === 30 ? 'no\nmemory' : null });
      };
      await stats.record('agent_list', answer, NEVER);
    }
    expect(stats.toHealth()).toEqual([
      {
        name: 'agent_list',
        calls: 3,
        failures: 1,
        consecutiveFailures: 1,
        lastError: 'no memory',
        lastFailedAt: '2026-11-23T15:00:00.060Z',
        latency: { p50Ms: 20, p95Ms: 30, p99Ms: 30 },
      },
    ]);
  });

  test.each<[string, () => Promise<never>, boolean]>([
    ['was not sent', () => Promise.reject(new CircuitOpenError(null)), false],
    [
      'is rejected with a retry delay',
      () => Promise.reject(new ToolRejectedError('too many requests', -32000, 1_000)),
      false,
    ],
    ['was aborted by its caller', () => Promise.reject(new Error('left')), true],
  ])('does not count a call that %s', async (_name, call, isAborted) => {
    const stats = new ToolStats(new ManualClock());
    const signal = isAborted ? AbortSignal.abort() : NEVER;
    await outcomeOf(stats.record('agent_list', call, signal));
    expect(stats.toHealth()).toEqual([]);
  });

  test.each<[string, () => Promise<ToolCallResult>]>([
    ['ok', () => Promise.resolve({ isError: false, value: 1 })],
    ['error', () => Promise.resolve({ isError: true, value: 'no' })],
    ['error', () => Promise.reject(new ToolRejectedError('no such tool', -32601))],
    ['busy', () => Promise.reject(new ToolRejectedError('too many requests', -32000, 1_000))],
    ['timeout', () => Promise.reject(new ToolCallTimeoutError('no answer within 3 ms'))],
    ['failed', () => Promise.reject(new Error('the pipe is broken'))],
    ['not_sent', () => Promise.reject(new CircuitOpenError(null))],
  ])('reports the outcome %s with the duration of the call', async (outcome, call) => {
    const clock = new ManualClock();
    const observed: unknown[] = [];
    const stats = new ToolStats(clock, (...seen) => observed.push(seen));
    const slowly = (): Promise<ToolCallResult> => {
      clock.advance(7);
      return call();
    };
    await outcomeOf(stats.record('agent_list', slowly, NEVER));
    await outcomeOf(stats.record('agent_list', () => Promise.reject(new Error('left')), AbortSignal.abort()));
    expect(observed).toEqual([['agent_list', outcome, 7]]);
  });

  test('counts consecutive failures when responses are marked as unusable', async () => {
    const stats = new ToolStats(new ManualClock());
    for (let call = 0; call < 3; call += 1) {
      await stats.record('agent_list', () => Promise.resolve({ isError: false, value: {} }), NEVER);
      stats.markUnusable('agent_list', 'not an object');
    }
    stats.markUnusable('never called', 'x');
    expect(stats.toHealth()).toMatchObject([
      { calls: 3, failures: 3, consecutiveFailures: 3, lastError: 'not an object' },
    ]);
  });

  test('for any sequence of calls: it holds the 64 tools that were called last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(100), { maxLength: 300 }), async (tools) => {
        const stats = new ToolStats(new ManualClock());
        for (const tool of tools) {
          await stats.record(`t${tool}`, () => Promise.resolve({ isError: false, value: null }), NEVER);
        }
        const last = new Set([...tools].reverse());
        expect(new Set(stats.toHealth().map(({ name }) => name))).toEqual(
          new Set([...last].slice(0, 64).map((tool) => `t${tool}`)),
        );
      }),
      { numRuns: 20 },
    );
  });
});
