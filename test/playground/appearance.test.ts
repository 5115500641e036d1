import { describe, expect, test } from 'vitest';
import {
  activityLevel,
  agentStyle,
  fillColor,
  PAGE_COLORS,
  ringColor,
  type Theme,
} from '../../playground/graph/agent-style.js';
import { contrast, mix, oklch } from '../../playground/graph/colors.js';
import type { AgentStatus } from '@swarmlens/client';
import { createAgent, createPerformance } from './agents.js';

const THEMES: readonly Theme[] = ['light', 'dark'];
const STATUSES: readonly AgentStatus[] = [
  ...(['INITIALIZING', 'IDLE', 'ACTIVE', 'BUSY', 'WAITING', 'PAUSED'] as const),
  ...(['ERROR', 'OFFLINE', 'TERMINATED', 'UNKNOWN'] as const),
];
const TYPES = ['coder', 'coordinator', 'researcher', 'tester', 'analyst', 'architect', 'reviewer', 'optimizer'];

describe('agentStyle', () => {
  test.each(THEMES)('has fills and rings with a contrast of at least 3:1 in the %s theme', (theme) => {
    const fills = [...TYPES, 'documenter', 'queen', 'monitor', 'specialist', 'an unknown type'];
    for (const type of fills) expect(contrast(fillColor(type, theme), PAGE_COLORS[theme])).toBeGreaterThanOrEqual(3);
    for (const status of STATUSES)
      expect(contrast(ringColor(status, theme), PAGE_COLORS[theme])).toBeGreaterThanOrEqual(3);
  });

  test('gives frequent types distinct colors, and each type a constant one', () => {
    expect(new Set(TYPES.map((type) => fillColor(type, 'dark'))).size).toBe(TYPES.length);
    expect(fillColor('whatever', 'dark')).toBe(fillColor('whatever', 'dark'));
  });

  test('is gray for every stale agent', () => {
    const stale = STATUSES.map((status, index) =>
      agentStyle(createAgent('a', { status, stale: true, type: TYPES[index] ?? 'other' }), 'dark'),
    );
    expect(new Set(stale.map(({ fill }) => fill)).size).toBe(1);
    expect(new Set(stale.map(({ ring }) => ring)).size).toBe(1);
  });

  test('uses the reported activity, otherwise an estimate from tasks and status, 0 to 1', () => {
    expect(
      activityLevel({ status: 'IDLE', performance: createPerformance({ activityLevel: 0.4, tasksActive: 9 }) }),
    ).toBe(0.4);
    expect(activityLevel({ status: 'IDLE', performance: createPerformance({ activityLevel: 7 }) })).toBe(1);
    expect(activityLevel({ status: 'IDLE', performance: null })).toBe(0);
    expect(activityLevel({ status: 'BUSY', performance: null })).toBeGreaterThan(
      activityLevel({ status: 'ACTIVE', performance: null }),
    );
    const [one = 0, three = 0] = [1, 3].map((tasksActive) =>
      activityLevel({ status: 'IDLE', performance: createPerformance({ tasksActive }) }),
    );
    expect(three).toBeGreaterThan(one);
    expect(three).toBeLessThanOrEqual(1);
  });
});

describe('color functions', () => {
  test('oklch returns grays from black to white without chroma', () => {
    expect(oklch(0, 0, 0)).toBe('#000000');
    expect(oklch(1, 0, 0)).toBe('#ffffff');
  });

  test('mix returns a color between two colors', () => {
    expect(mix('#000000', '#ffffff', 0.5)).toBe('#808080');
    expect(mix('#102030', '#ff0000', 0)).toBe('#102030');
    expect(mix('#102030', '#ff0000', 1)).toBe('#ff0000');
  });

  test('contrast returns the ratio of WCAG', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 1);
  });
});
