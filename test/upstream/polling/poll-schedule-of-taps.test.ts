import { describe, expect, test } from 'vitest';
import { minPollIntervalMs, demandedPollIntervalMs } from '../../../src/upstream/polling/poll-schedule.js';
import { TapConnection } from '../../../src/mcp/index.js';

const TAPPED = { endpoint: { type: 'tap', link: new TapConnection() }, maxPollHz: 10 } as const;
const STARTED = { endpoint: { type: 'stdio', command: 'x', args: [], cwd: '/', env: {} }, maxPollHz: 10 } as const;

describe('poll schedule behind a tap', () => {
  test.each([0, 1, 60])('does not poll claude-flow on demand (%i Hz)', (hz) => {
    expect(demandedPollIntervalMs(TAPPED, 'CLAUDE_FLOW', hz, 5_000)).toBe(86_400_000);
  });

  test('polls claude-flow after observed calls, at most once per minute', () => {
    expect(minPollIntervalMs(TAPPED, 'CLAUDE_FLOW')).toBe(60_000);
    expect(minPollIntervalMs({ ...TAPPED, maxPollHz: 0.001 }, 'CLAUDE_FLOW')).toBe(1_000_000);
  });

  test.each([
    [TAPPED, 'RUV_SWARM'],
    [STARTED, 'CLAUDE_FLOW'],
  ] as const)('polls other servers at the demanded rate up to `maxPollHz`', (settings, type) => {
    expect(minPollIntervalMs(settings, type)).toBe(100);
    expect(demandedPollIntervalMs(settings, type, 60, 5_000)).toBe(100);
    expect(demandedPollIntervalMs(settings, type, 0, 5_000)).toBe(5_000);
  });
});
