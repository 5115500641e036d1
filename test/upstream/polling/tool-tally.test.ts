import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ToolStats } from '../../../src/upstream/pool/tool-stats.js';
import { CircuitOpenError } from '../../../src/upstream/guard/errors.js';
import { type ToolCallResult, ToolCallTimeoutError, ToolRejectedError } from '../../../src/mcp/index.js';
import { outcomeOf } from '../guard/support.js';
import { ManualClock } from '../../support/manual-clock.js';

const NEVER = new AbortController().signal;

describe('figures of tools', () => {
  test('count what was answered and what failed, and measure how long answers took', async () => {
    const clock = new ManualClock();
    const tally = new ToolStats(clock);
    for (const ms of [10, 20, 30]) {
      const answer = async (): Promise<{ isError: boolean; value: unknown }> => {
        clock.advance(ms);
        return Promise.resolve({ isError: ms === 30, value: ms === 30 ? 'no\nmemory' : null });
      };
      await tally.record('agent_list', answer, NEVER);
    }
    expect(tally.toHealth()).toEqual([
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
    ['is to be put off', () => Promise.reject(new ToolRejectedError('too many requests', -32000, 1_000)), false],
    ['was given up by who asked', () => Promise.reject(new Error('left')), true],
  ])('do not count a call that %s', async (_what, call, isAborted) => {
    const tally = new ToolStats(new ManualClock());
    const signal = isAborted ? AbortSignal.abort() : NEVER;
    await outcomeOf(tally.record('agent_list', call, signal));
    expect(tally.toHealth()).toEqual([]);
  });

  test.each<[string, () => Promise<ToolCallResult>]>([
    ['ok', () => Promise.resolve({ isError: false, value: 1 })],
    ['error', () => Promise.resolve({ isError: true, value: 'no' })],
    ['error', () => Promise.reject(new ToolRejectedError('no such tool', -32601))],
    ['busy', () => Promise.reject(new ToolRejectedError('too many requests', -32000, 1_000))],
    ['timeout', () => Promise.reject(new ToolCallTimeoutError('no answer within 3 ms'))],
    ['failed', () => Promise.reject(new Error('the pipe is broken'))],
    ['not_sent', () => Promise.reject(new CircuitOpenError(null))],
  ])('tell who counts that a call was %s, and how long it took', async (outcome, call) => {
    const clock = new ManualClock();
    const told: unknown[] = [];
    const tally = new ToolStats(clock, (...seen) => told.push(seen));
    const slowly = (): Promise<ToolCallResult> => {
      clock.advance(7);
      return call();
    };
    await outcomeOf(tally.record('agent_list', slowly, NEVER));
    await outcomeOf(tally.record('agent_list', () => Promise.reject(new Error('left')), AbortSignal.abort()));
    expect(told).toEqual([['agent_list', outcome, 7]]);
  });

  test('go on counting a row of failures that looked like answers', async () => {
    const tally = new ToolStats(new ManualClock());
    for (let call = 0; call < 3; call += 1) {
      await tally.record('agent_list', () => Promise.resolve({ isError: false, value: {} }), NEVER);
      tally.markUnusable('agent_list', 'not an object');
    }
    tally.markUnusable('never called', 'x');
    expect(tally.toHealth()).toMatchObject([
      { calls: 3, failures: 3, consecutiveFailures: 3, lastError: 'not an object' },
    ]);
  });

  test('are kept of the 64 tools that were called last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(100), { maxLength: 300 }), async (tools) => {
        const tally = new ToolStats(new ManualClock());
        for (const tool of tools) {
          await tally.record(`t${tool}`, () => Promise.resolve({ isError: false, value: null }), NEVER);
        }
        const last = new Set([...tools].reverse());
        expect(new Set(tally.toHealth().map(({ name }) => name))).toEqual(
          new Set([...last].slice(0, 64).map((tool) => `t${tool}`)),
        );
      }),
      { numRuns: 20 },
    );
  });
});
