import { expect, test } from 'vitest';
import { minPollIntervalMs, demandedPollIntervalMs } from '../../../src/upstream/polling/poll-schedule.js';
import { TapConnection } from '../../../src/mcp/index.js';

const TAPPED = { endpoint: { type: 'tap', link: new TapConnection() }, maxPollHz: 10 } as const;
const STARTED = { endpoint: { type: 'stdio', command: 'x', args: [], cwd: '/', env: {} }, maxPollHz: 10 } as const;

test.each([0, 1, 60])('a tapped claude-flow is not polled for its own sake, be %i Hz wanted or not', (hz) => {
  expect(demandedPollIntervalMs(TAPPED, 'CLAUDE_FLOW', hz, 5_000)).toBe(86_400_000);
});

test('a tapped claude-flow is polled after traffic, but not twice a minute', () => {
  expect(minPollIntervalMs(TAPPED, 'CLAUDE_FLOW')).toBe(60_000);
  expect(minPollIntervalMs({ ...TAPPED, maxPollHz: 0.001 }, 'CLAUDE_FLOW')).toBe(1_000_000);
});

test.each([
  [TAPPED, 'RUV_SWARM'],
  [STARTED, 'CLAUDE_FLOW'],
] as const)('others are polled as often as anyone wants and they may be', (settings, type) => {
  expect(minPollIntervalMs(settings, type)).toBe(100);
  expect(demandedPollIntervalMs(settings, type, 60, 5_000)).toBe(100);
  expect(demandedPollIntervalMs(settings, type, 0, 5_000)).toBe(5_000);
});
