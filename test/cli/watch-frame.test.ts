import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Screen, type TerminalOutput } from '../../src/cli/terminal/screen.js';
import { renderWatchFrame, type WatchFrameInput } from '../../src/cli/watch/frame.js';
import { WatchLineFormatter } from '../../src/cli/watch/line-output.js';
import type { Agent, AgentStreamSnapshot, AgentStreamUpdate, McpServerFragment } from '@swarmlens/client';
import { runs } from '../support/fuzz-inputs.js';
import { UNOBSERVED } from '../support/unknown-fields.js';

const SGR = /\u001b\[\d+m/g; // eslint-disable-line no-control-regex

const CONNECTION: WatchFrameInput['connection'] = {
  status: 'OPEN',
  since: '2026-11-27T02:00:00.000Z',
  reason: null,
  retryAt: null,
  attempt: 0,
  latencyMs: 2.4,
  error: null,
};

function agentOf(id: string, overrides: Partial<Agent> = {}): Agent {
  return {
    id,
    nativeId: id,
    serverId: 'flow',
    serverType: 'CLAUDE_FLOW',
    swarmId: 'flow:s1',
    name: id,
    type: 'coder',
    status: 'BUSY',
    capabilities: [],
    model: null,
    currentTaskId: null,
    ...UNOBSERVED,
    performance: null,
    neural: null,
    topology: null,
    stale: false,
    simulated: false,
    createdAt: null,
    lastActiveAt: null,
    lastSeenAt: '2026-11-27T02:00:01.000Z',
    ...overrides,
  };
}

function serverOf(id: string, overrides: Partial<McpServerFragment> = {}): McpServerFragment {
  return {
    id,
    type: 'CLAUDE_FLOW',
    name: id,
    version: null,
    transport: 'STDIO',
    status: 'ONLINE',
    tools: [],
    agentCount: 3,
    stale: false,
    simulated: false,
    connectedAt: null,
    lastSeenAt: null,
    lastError: null,
    staleSince: null,
    circuitBreaker: { state: 'CLOSED', consecutiveFailures: 0, openedAt: null, retryAt: null },
    latency: { p50Ms: null, p95Ms: 3.25, p99Ms: null },
    replicas: [],
    ...overrides,
  };
}

function viewOf(overrides: Partial<WatchFrameInput> = {}): WatchFrameInput {
  const agents = new Map(['flow:a', 'flow:b'].map((id) => [id, agentOf(id)]));
  return {
    url: 'http://127.0.0.1:4000',
    connection: CONNECTION,
    agents,
    servers: [serverOf('flow')],
    serversError: null,
    effectiveHz: 10,
    hasColors: false,
    ...overrides,
  };
}

const SIZE = { columns: 120, rows: 24 };

describe('renderWatchFrame', () => {
  test('shows servers, agents, missing values and the connection status', () => {
    const lines = renderWatchFrame(
      viewOf({ agents: new Map([['flow:a', agentOf('flow:a', { swarmId: null, stale: true })]]) }),
      SIZE,
    );
    expect(lines[0]).toBe('swarmlens http://127.0.0.1:4000  ·  live  ·  1 agent  ·  10 Hz  ·  2 ms');
    expect(lines.join('\n')).toMatch(/^flow {4}ONLINE {2}CLAUDE_FLOW {2}STDIO {2}3 {7}CLOSED {3}3\.3 ms {2}–$/m);
    expect(lines.join('\n')).toMatch(/^flow:a {2}coder {2}BUSY \(stale\) {2}flow {4}– {6}– {6}02:00:01$/m);
    expect(lines.at(-1)).toBe('Press Ctrl-C to exit');
  });

  test.each<[string, Partial<WatchFrameInput>, RegExp]>([
    ['no data has arrived', { agents: null, servers: null }, /Servers: waiting for data[^]*Agents: waiting for data/],
    ['no servers or agents exist', { agents: new Map(), servers: [] }, /No servers\.[^]*No agents match\./],
    [
      'the viewer may not see servers',
      { servers: null, serversError: 'Servers are not shown: "health:read"' },
      /^Servers are not shown: "health:read"$/m,
    ],
    [
      'the connection is lost',
      { connection: { ...CONNECTION, status: 'RECONNECTING', reason: 'gone', retryAt: '2026-11-27T02:00:07.000Z' } },
      /connection lost \(gone\), reconnecting at 02:00:07 UTC; showing last known values/,
    ],
    [
      'a server is simulated and stale',
      {
        servers: [
          serverOf('x', { simulated: true, stale: true, status: 'OFFLINE', lastError: 'it\u001b[2J is\ngone' }),
        ],
      },
      /^x .*OFFLINE .*\(simulated\) .*3 stale .*it \[2J is gone$/m,
    ],
  ])('shows a hint when %s', (_condition, overrides, expected) => {
    expect(renderWatchFrame(viewOf(overrides), SIZE).join('\n')).toMatch(expected);
  });

  test('counts the rows that do not fit the window', () => {
    const agents = new Map(Array.from({ length: 100 }, (_, index) => [`a${index}`, agentOf(`a${index}`)]));
    const servers = Array.from({ length: 50 }, (_, index) => serverOf(`s${index}`));
    const lines = renderWatchFrame(viewOf({ agents, servers }), SIZE);
    expect(lines).toHaveLength(SIZE.rows);
    const shownServers = lines.filter((line) => /^s\d/.test(line)).length;
    const shownAgents = lines.filter((line) => /^a\d/.test(line)).length;
    expect(Math.min(shownServers, shownAgents)).toBeGreaterThan(3);
    expect(lines).toContain(`… ${50 - shownServers} more servers`);
    expect(lines.some((line) => line.startsWith(`… ${100 - shownAgents} more: `))).toBe(true);
  });

  test('for any names and any window size: the frame fits and contains no control characters', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('\u001b[2J', '\u202e', '\u0007', '\r\n'),
    );
    const agent = fc.record({ id: text, name: text, type: text, stale: fc.boolean() });
    const server = fc.record({ id: text, lastError: text });
    const size = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(
        fc.array(agent, { maxLength: 40 }),
        fc.array(server, { maxLength: 20 }),
        size,
        fc.boolean(),
        (agents, servers, window, hasColors) => {
          const view = viewOf({
            agents: new Map(agents.map((one) => [one.id, agentOf(one.id, one)])),
            servers: servers.map((one) => serverOf(one.id, one)),
            hasColors,
          });
          const lines = renderWatchFrame(view, window);
          expect(lines.length).toBeLessThanOrEqual(window.rows);
          for (const line of lines) {
            const shown = hasColors ? line.replaceAll(SGR, '') : line;
            expect(Array.from(shown).length).toBeLessThanOrEqual(window.columns);
            expect(shown).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
          }
        },
      ),
      runs(100),
    );
  });
});

class FakeTerminal extends Writable implements TerminalOutput {
  columns = 20;
  rows = 3;
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.text += chunk.toString();
    callback();
  }
}

describe('Screen', () => {
  test('redraws only when the frame or the window size changes, and restores the terminal', () => {
    const terminal = new FakeTerminal();
    let resized = 0;
    {
      using screen = new Screen(terminal, () => (resized += 1));
      expect(terminal.text).toBe('\u001b[?1049h\u001b[?25l');
      screen.draw(['a', 'b']);
      const once = terminal.text;
      expect(once).toContain('\u001b[H\u001b[Ka\r\n\u001b[Kb\r\n\u001b[J');
      screen.draw(['a', 'b']);
      expect(terminal.text).toBe(once);
      terminal.rows = 2;
      terminal.emit('resize');
      expect([resized, screen.size]).toEqual([1, { columns: 20, rows: 2 }]);
      screen.draw(['a', 'b']);
      // A line break in the last row would scroll the window.
      expect(terminal.text.endsWith('\u001b[H\u001b[Ka\r\n\u001b[Kb')).toBe(true);
    }
    expect(terminal.text.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    expect(terminal.listenerCount('resize')).toBe(0);
  });
});

describe('WatchLineFormatter', () => {
  test('prints one line for each added, changed and removed agent', () => {
    const lines = new WatchLineFormatter();
    const linesOf = (
      kind: 'SNAPSHOT' | 'DELTA',
      agents: readonly Agent[],
      removedAgentIds: readonly string[],
      all: readonly Agent[],
    ): string[] => {
      const timestamp = '2026-11-27T02:00:00.000Z';
      const snapshot = { agents: new Map(all.map((one) => [one.id, one])), timestamp, staleServerIds: [] };
      // The formatter reads only these fields of the snapshot.
      const update: AgentStreamUpdate = {
        kind,
        agents,
        removedAgentIds,
        snapshot: snapshot as unknown as AgentStreamSnapshot,
      };
      return lines
        .text(update)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.replace(`${timestamp} `, ''));
    };
    const [a, b] = [agentOf('flow:a'), agentOf('flow:b', { name: 'x\u001b[2Jy' })];
    expect(linesOf('SNAPSHOT', [a, b], [], [a, b])).toEqual([
      '+ flow:a coder BUSY flow:a',
      '+ flow:b coder BUSY x [2Jy',
    ]);
    const idle = { ...a, status: 'IDLE' as const, stale: true };
    expect(linesOf('DELTA', [idle, { ...b, lastSeenAt: 'later' }], [], [idle, b])).toEqual([
      '~ flow:a coder IDLE (stale) flow:a',
    ]);
    expect(linesOf('DELTA', [], ['flow:b', 'flow:unknown'], [idle])).toEqual(['- flow:b']);
    // A second snapshot, as after a restart of the server, prints only the differences.
    expect(linesOf('SNAPSHOT', [b], [], [b])).toEqual(['- flow:a', '+ flow:b coder BUSY x [2Jy']);
  });
});
