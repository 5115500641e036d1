import { buildSchema, parse, validate } from 'graphql';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameTimes } from '../../playground/model/frame-times.js';
import { formatBreaker } from '../../playground/model/format-breaker.js';
import { SampleBuffer } from '../../playground/model/sample-buffer.js';
import { AgentHistory, describeDifferences } from '../../playground/model/agent-history.js';
import { shortenName, sortKey } from '../../playground/ui/labels.js';
import { printOperation } from '../../playground/model/print-operation.js';
import type { AgentStreamRequest } from '@swarmlens/client';
import { createAgent, byId, createPerformance } from './agents.js';

const schema = buildSchema(readFileSync(fileURLToPath(new URL('../../schema.graphql', import.meta.url)), 'utf8'));

describe('printOperation', () => {
  const request: fc.Arbitrary<AgentStreamRequest> = fc.record({
    serverTypes: fc.option(fc.subarray(['CLAUDE_FLOW', 'RUV_SWARM', 'DAA', 'CUSTOM'] as const)),
    agentTypes: fc.option(fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 })),
    swarmIds: fc.option(fc.array(fc.string(), { maxLength: 3 })),
    mode: fc.constantFrom('HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'),
    includePerformance: fc.boolean(),
    includeNeural: fc.boolean(),
    includeTopology: fc.boolean(),
  });

  test('for any request: prints a valid operation', () => {
    fc.assert(
      fc.property(request, (value) => {
        expect(validate(schema, parse(printOperation(value)))).toEqual([]);
      }),
    );
  });

  test('prints filters and omits parts that are not included', () => {
    const text = printOperation({
      serverTypes: ['DAA'],
      agentTypes: ['co"der'],
      swarmIds: null,
      mode: 'HIGH_FREQUENCY',
      includePerformance: false,
      includeNeural: true,
      includeTopology: true,
    });
    expect(text).toContain('serverTypes: [DAA]');
    expect(text).toContain('agentTypes: ["co\\"der"]');
    expect(text).toContain('includePerformance: false');
    expect(text).not.toContain('swarmIds');
    expect(text).not.toContain('tasksActive');
  });
});

describe('AgentHistory', () => {
  test('lists changes since the first snapshot, newest first', () => {
    const history = new AgentHistory();
    const agent = createAgent('a', { performance: createPerformance({ tasksActive: 1 }) });
    history.record(byId(agent), 1);
    expect(history.get('x:a')).toEqual([]);
    history.record(byId({ ...agent, status: 'BUSY', performance: createPerformance({ tasksActive: 2 }) }), 2);
    history.record(byId(createAgent('b')), 3);
    expect(history.get('x:a').map(({ text }) => text)).toEqual([
      'disappeared',
      'status: idle → busy',
      'open tasks: 1 → 2',
    ]);
    expect(history.get('x:b')).toEqual([{ atMs: 3, text: 'appeared' }]);
  });

  test('limits the changes per agent and the number of agents', () => {
    const history = new AgentHistory();
    history.record(new Map(), 0);
    for (let at = 1; at <= 100; at += 1) history.record(byId(createAgent('a', { name: `${at}` })), at);
    expect(history.get('x:a')).toHaveLength(20);
    expect(history.get('x:a')[0]?.text).toBe('name: 99 → 100');
    const many = Array.from({ length: 2_500 }, (_, index) => createAgent(`n${index}`));
    history.record(byId(createAgent('a', { name: '100' }), ...many), 101);
    expect(history.get('x:a')).toEqual([]);
    expect(history.get('x:n2499')).toHaveLength(1);
  });

  test('shows a dash for a value that became unknown', () => {
    const before = createAgent('a', { performance: createPerformance({ tasksFailed: 3 }) });
    expect(describeDifferences(before, { ...before, performance: null })).toEqual(['failed tasks: 3 → –']);
  });
});

describe('labels', () => {
  test('keep the end of long names', () => {
    expect(shortenName('agent-1767225600004-a1b2c3', 14)).toBe('agent-1…a1b2c3');
    expect(shortenName('coder-1', 14)).toBe('coder-1');
  });

  test('do not cut characters of several code points', () => {
    expect(shortenName('👩‍👩‍👧‍👦'.repeat(20), 10)).toBe(`${'👩‍👩‍👧‍👦'.repeat(3)}…${'👩‍👩‍👧‍👦'.repeat(6)}`);
  });

  test('sort naturally', () => {
    const sorted = ['coder-10', 'coder-2', 'analyst-3'].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    expect(sorted).toEqual(['analyst-3', 'coder-2', 'coder-10']);
  });
});

describe('health data', () => {
  test('formatBreaker shows the time until the probe by the clock of the server', () => {
    const breaker = {
      state: 'OPEN',
      consecutiveFailures: 5,
      openedAt: null,
      retryAt: '2026-11-23T15:00:02.500Z',
    } as const;
    const nowMs = Date.parse('2026-11-23T15:00:00.000Z');
    expect(formatBreaker(breaker, nowMs)).toBe('breaker open · probe in 2.5 s · 5 consecutive failures');
    expect(formatBreaker(breaker, nowMs + 9_000)).toBe('breaker open · probe in 0.0 s · 5 consecutive failures');
    expect(formatBreaker({ ...breaker, state: 'CLOSED', consecutiveFailures: 0, retryAt: null }, nowMs)).toBe(
      'breaker closed',
    );
  });

  test('SampleBuffer keeps the last samples in order', () => {
    const samples = new SampleBuffer(2, 3);
    for (const at of [1, 2, 2, 3, 4]) samples.add(at, [at, null]);
    expect(samples.times).toEqual([2, 3, 4]);
    expect(samples.values).toEqual([
      [2, 3, 4],
      [null, null, null],
    ]);
  });

  test('FrameTimes returns percentiles of the last frames, and null before the first', () => {
    const times = new FrameTimes();
    expect(times.percentile(0.5)).toBeNull();
    for (let frame = 0; frame < 1_000; frame += 1) times.add(frame < 500 ? 1_000 : 2);
    expect(times.percentile(0.95)).toBe(2);
  });
});
