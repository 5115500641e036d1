import type { Agent, AgentStatus } from '@swarmlens/client';
import { type Color, hashText, oklch } from './colors.js';

export type Theme = 'light' | 'dark';

/** Appearance of an agent in the graph. */
export interface AgentStyle {
  readonly fill: Color;
  readonly ring: Color;
  /** Radius in pixels at zoom factor 1. */
  readonly size: number;
}

const MIN_SIZE = 7;
const MAX_SIZE = 16;

/** Distinct hues in degrees. Each is used in two strengths, so that frequent types have a color of their own. */
const HUES = [250, 70, 300, 150, 28, 195, 345, 110, 275, 50, 170, 325] as const;
const KNOWN_TYPES = [
  ...['coder', 'coordinator', 'researcher', 'tester', 'analyst', 'architect', 'reviewer', 'optimizer'],
  ...['documenter', 'queen', 'monitor', 'specialist'],
  ...['treasury', 'compliance', 'trading', 'research', 'monitoring', 'worker', 'member', 'unknown'],
];

const STRENGTHS: Readonly<Record<Theme, readonly { readonly lightness: number; readonly chroma: number }[]>> = {
  light: [
    { lightness: 0.6, chroma: 0.15 },
    { lightness: 0.5, chroma: 0.09 },
  ],
  dark: [
    { lightness: 0.74, chroma: 0.14 },
    { lightness: 0.86, chroma: 0.08 },
  ],
};

/** Color of stale agents. */
const STALE: Readonly<Record<Theme, Color>> = { light: '#8a939b', dark: '#77828c' };

export const PAGE_COLORS: Readonly<Record<Theme, Color>> = { light: '#f7f9fb', dark: '#0a1016' };

const RINGS: Readonly<Record<Theme, Readonly<Record<AgentStatus, Color>>>> = {
  light: {
    INITIALIZING: '#0b84a5',
    IDLE: '#7d8791',
    ACTIVE: '#15803d',
    BUSY: '#1d5fd1',
    WAITING: '#a21caf',
    PAUSED: '#b45309',
    ERROR: '#c81e2b',
    OFFLINE: '#7f1d1d',
    TERMINATED: '#6b7280',
    UNKNOWN: '#7d8791',
  },
  dark: {
    INITIALIZING: '#58c7e8',
    IDLE: '#77838e',
    ACTIVE: '#4ade80',
    BUSY: '#6aa8ff',
    WAITING: '#e879f9',
    PAUSED: '#fbbf24',
    ERROR: '#ff6b6b',
    OFFLINE: '#c06060',
    TERMINATED: '#78828b',
    UNKNOWN: '#77838e',
  },
};

export function agentStyle(agent: Agent, theme: Theme): AgentStyle {
  return {
    fill: agent.stale ? STALE[theme] : fillColor(agent.type, theme),
    ring: agent.stale ? STALE[theme] : ringColor(agent.status, theme),
    // The last known activity of a stale agent says nothing about its work now.
    size: agent.stale ? MIN_SIZE : MIN_SIZE + (MAX_SIZE - MIN_SIZE) * activityLevel(agent),
  };
}

export function fillColor(type: string, theme: Theme): Color {
  const known = KNOWN_TYPES.indexOf(type);
  // Other types share the colors, chosen by a hash of the name.
  const slot = known === -1 ? hashText(type) % (2 * HUES.length) : known;
  const strength = STRENGTHS[theme][Math.floor(slot / HUES.length)];
  return oklch(strength?.lightness ?? 0.6, strength?.chroma ?? 0, HUES[slot % HUES.length] ?? 0);
}

export function ringColor(status: AgentStatus, theme: Theme): Color {
  return RINGS[theme][status];
}

/**
 * Returns the activity of an agent, 0 to 1: the value reported by its server, otherwise an estimate from its open tasks and its
 * status.
 */
export function activityLevel({ performance, status }: Pick<Agent, 'performance' | 'status'>): number {
  const level = performance?.activityLevel ?? null;
  if (level !== null) return Math.min(1, Math.max(0, level));
  const tasks = performance?.tasksActive ?? 0;
  const byStatus = status === 'BUSY' ? 0.7 : status === 'ACTIVE' ? 0.35 : 0;
  return Math.max(byStatus, 1 - 1 / (1 + tasks / 2));
}
