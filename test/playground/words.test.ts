import { buildSchema, parse, validate } from 'graphql';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameTimes } from '../../playground/graph/frame-times.js';
import { formatBreaker } from '../../playground/health/breaker-badge.js';
import { SampleBuffer } from '../../playground/health/sample-buffer.js';
import { AgentHistory, describeDifferences } from '../../playground/panels/agent-history.js';
import { agentLabel, shortenName, sortKey } from '../../playground/ui/labels.js';
import { printOperation } from '../../playground/panels/print-operation.js';
import type { AgentStreamRequest } from '@swarmlens/client';
import { agentOf, byId, workOf } from './agents.js';

const schema = buildSchema(readFileSync(fileURLToPath(new URL('../../schema.graphql', import.meta.url)), 'utf8'));

describe('the operation that the page shows', () => {
  const request: fc.Arbitrary<AgentStreamRequest> = fc.record({
    serverTypes: fc.option(fc.subarray(['CLAUDE_FLOW', 'RUV_SWARM', 'DAA', 'CUSTOM'] as const)),
    agentTypes: fc.option(fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 })),
    swarmIds: fc.option(fc.array(fc.string(), { maxLength: 3 })),
    mode: fc.constantFrom('HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'),
    includePerformance: fc.boolean(),
    includeNeural: fc.boolean(),
    includeTopology: fc.boolean(),
  });

  test('is valid, whatever is asked for and whatever servers call their types and swarms', () => {
    fc.assert(
      fc.property(request, (asked) => {
        expect(validate(schema, parse(printOperation(asked)))).toEqual([]);
      }),
    );
  });

  test('has the filters, and leaves out what is not included', () => {
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

describe('the history of agents', () => {
  test('tells what changed, newest first, and nothing of what it never saw', () => {
    const history = new AgentHistory();
    const agent = agentOf('a', { performance: workOf({ tasksActive: 1 }) });
    history.take(byId(agent), 1);
    expect(history.of('x:a')).toEqual([]);
    history.take(byId({ ...agent, status: 'BUSY', performance: workOf({ tasksActive: 2 }) }), 2);
    history.take(byId(agentOf('b')), 3);
    expect(history.of('x:a').map(({ text }) => text)).toEqual([
      'left the picture',
      'status: idle → busy',
      'open tasks: 1 → 2',
    ]);
    expect(history.of('x:b')).toEqual([{ atMs: 3, text: 'appeared' }]);
  });

  test('is bounded: so many changes of one agent, and so many agents', () => {
    const history = new AgentHistory();
    history.take(new Map(), 0);
    for (let at = 1; at <= 100; at += 1) history.take(byId(agentOf('a', { name: `${at}` })), at);
    expect(history.of('x:a')).toHaveLength(20);
    expect(history.of('x:a')[0]?.text).toBe('name: 99 → 100');
    const many = Array.from({ length: 2_500 }, (_, index) => agentOf(`n${index}`));
    history.take(byId(agentOf('a', { name: '100' }), ...many), 101);
    expect(history.of('x:a')).toEqual([]);
    expect(history.of('x:n2499')).toHaveLength(1);
  });

  test('a value that is not known any more is a dash, not a number', () => {
    const before = agentOf('a', { performance: workOf({ tasksFailed: 3 }) });
    expect(describeDifferences(before, { ...before, performance: null })).toEqual(['tasks failed: 3 → –']);
  });
});

describe('names', () => {
  test('long ones keep their end, by which they differ', () => {
    expect(shortenName('agent-1767225600004-a1b2c3', 14)).toBe('agent-17…1b2c3');
    expect(shortenName('coder-1', 14)).toBe('coder-1');
    expect(agentLabel({ name: 'coder-1', type: 'coder' })).toBe('coder-1');
    expect(agentLabel({ name: 'agent-1767225600004-a1b2c3', type: 'coder' })).toBe('coder …b2c3');
  });

  test('sort as people count', () => {
    const sorted = ['coder-10', 'coder-2', 'analyst-3'].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    expect(sorted).toEqual(['analyst-3', 'coder-2', 'coder-10']);
  });
});

describe('figures of health', () => {
  test('an open breaker says when it lets a probe through, by the clock of the server', () => {
    const breaker = {
      state: 'OPEN',
      consecutiveFailures: 5,
      openedAt: null,
      retryAt: '2026-11-23T15:00:02.500Z',
    } as const;
    const nowMs = Date.parse('2026-11-23T15:00:00.000Z');
    expect(formatBreaker(breaker, nowMs)).toBe('breaker open · probe in 2.5 s · 5 failed in a row');
    expect(formatBreaker(breaker, nowMs + 9_000)).toBe('breaker open · probe in 0.0 s · 5 failed in a row');
    expect(formatBreaker({ ...breaker, state: 'CLOSED', consecutiveFailures: 0, retryAt: null }, nowMs)).toBe(
      'breaker closed',
    );
  });

  test('samples are bounded, in order, and null where something is not known', () => {
    const samples = new SampleBuffer(2, 3);
    for (const at of [1, 2, 2, 3, 4]) samples.add(at, [at, null]);
    expect(samples.times).toEqual([2, 3, 4]);
    expect(samples.values).toEqual([
      [2, 3, 4],
      [null, null, null],
    ]);
  });

  test('frame times are of the last frames, and unknown before the first', () => {
    const times = new FrameTimes();
    expect(times.percentile(0.5)).toBeNull();
    for (let frame = 0; frame < 1_000; frame += 1) times.add(frame < 500 ? 1_000 : 2);
    expect(times.percentile(0.95)).toBe(2);
  });
});
