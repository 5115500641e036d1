import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { AGENT_STATES } from '@swarmlens/client';
import { SORT_COLUMNS } from '../../src/cli/watch/agent-rows.js';
import { runs } from '../support/fuzz-inputs.js';
import { TERMINAL_TEXT } from './terminal-texts.js';
import {
  ACTIVITY,
  agentOf,
  CONNECTION,
  frameOf,
  type FrameOptions,
  linesOf,
  serverOf,
  textOf,
  USAGE,
} from './watch-fixtures.js';

const SIZE = { columns: 100, rows: 24 };
const SIZES = [40, 60, 80, 120, 200].flatMap((columns) => [10, 24, 50].map((rows) => ({ columns, rows })));

const WORKER = agentOf('flow:a', {
  name: 'builder',
  activity: ACTIVITY,
  usage: USAGE,
  context: { usedTokens: 100_000, limitTokens: 200_000, usedRatio: 0.5 },
});

describe('renderWatchFrame', () => {
  test('shows agent, activity, age, tokens, cost, context and server', () => {
    const lines = linesOf({ agents: [WORKER] }, { columns: 80, rows: 24 });
    expect(lines[0]).toMatch(/^1 agent · 1 working · \$0\.42 · live · http:\/\/127\.0\.0\.1:4000 · 10 Hz/);
    expect(lines[1]).toBe('Servers: 1 ONLINE');
    expect(lines[2]).toBe('   AGENT          NOW▾               SINCE  TOKENS      COST   CTX SERVER');
    expect(lines[3]).toBe('>* builder        Bash                  2m   12.3k     $0.42   50% flow         ');
    expect(lines.at(-1)).toBe('q quit  ? help  / filter  Enter details  f status  s sort  t tree  v servers');
  });

  test('shows unknown values as unknown', () => {
    const [, , , row] = linesOf({ agents: [agentOf('a')] }, SIZE);
    expect(row).toMatch(/^>\* a +busy +– +– +– +– flow/);
  });

  test.each<[string, Parameters<typeof agentOf>[1], RegExp]>([
    [
      'marks an inferred wait',
      {
        status: 'WAITING',
        activity: { ...ACTIVITY, kind: 'WAITING', waitingFor: 'PERMISSION', inferred: true },
      },
      /^>! a +~needs permission: Bash +2m/,
    ],
    [
      'marks a wait for an unknown reason',
      { status: 'WAITING', activity: { ...ACTIVITY, kind: 'WAITING', label: null } },
      /^>! a +needs a person +2m/,
    ],
    ['shows the model', { activity: { ...ACTIVITY, kind: 'MODEL', label: 'opus' } }, /^>\* a +model: opus +2m/],
    ['shows compaction', { activity: { ...ACTIVITY, kind: 'COMPACTING', label: null } }, /a +compacts its context +2m/],
    ['names a status that differs from working', { status: 'PAUSED', activity: ACTIVITY }, /^> {2}a +paused, Bash/],
    ['shows the current task', { currentTaskId: 'flow:t7' }, /a +busy: task t7/],
    ['marks an estimated cost', { usage: { ...USAGE, costEstimated: true } }, / ~\$0\.42 /],
    ['marks lower limits', { usage: { ...USAGE, complete: false } }, / 12\.3k\+ +\$0\.42\+ /],
    ['does not round a small cost to 0', { usage: { ...USAGE, costUsd: 0.0001 } }, / <\$0\.01 /],
    ['shows a measured zero', { usage: { ...USAGE, costUsd: 0, totalTokens: 0 } }, / 0 +\$0\.00 /],
    [
      'shows used tokens without a limit',
      { context: { usedTokens: 5_000, limitTokens: null, usedRatio: null } },
      / 5\.0k flow/,
    ],
    ['marks a stale agent', { stale: true, activity: ACTIVITY }, /^>\? a +stale: Bash/],
    ['marks a failed agent', { status: 'ERROR' }, /^>x a +error/],
    [
      'shows an activity that begins in the future as new',
      { activity: { ...ACTIVITY, since: '2026-11-27T03:00:00.000Z' } },
      / 0s /,
    ],
    ['shows an invalid start as unknown', { activity: { ...ACTIVITY, since: 'yesterday' } }, /Bash +– /],
  ])('%s', (_name, overrides, expected) => {
    expect(linesOf({ agents: [agentOf('a', overrides)] }, SIZE)[3]).toMatch(expected);
  });

  test('dims stale agents and colors states', () => {
    const agents = [
      agentOf('a', { status: 'WAITING' }),
      agentOf('b', { status: 'ERROR' }),
      agentOf('c', { stale: true }),
    ];
    const { lines } = frameOf({ agents, view: { selectedIndex: 5 } }, SIZE);
    expect(lines.slice(3, 6).map((line) => line[1]?.style)).toEqual(['warning', 'bad', 'dim']);
  });

  test('does not count stale agents as working, and marks a total cost that is estimated or incomplete', () => {
    const usage = { ...USAGE, costEstimated: true, costUsd: 1, complete: false };
    const agents = [agentOf('a', { usage }), agentOf('b', { stale: true, usage: { ...USAGE, costUsd: 2 } })];
    expect(linesOf({ agents }, SIZE)[0]).toMatch(/^2 agents · 1 working · 1 stale · ~\$3\.00\+ · live/);
  });

  test.each<[string, FrameOptions, RegExp]>([
    [
      'no data has arrived',
      { agents: null, servers: null },
      /^Servers: waiting for data$[^]*^Agents: waiting for data$/m,
    ],
    ['no servers or agents exist', { agents: [], servers: [] }, /^No servers\.$[^]*^No agents match\.$/m],
    ['no agent matches the filter', { view: { filter: 'zzz' } }, /^No agents match the filter\. Press Esc/m],
    [
      'the viewer may not see servers',
      { servers: null, serversError: 'Servers are not shown: "health:read"' },
      /^Servers are not shown: "health:read"$/m,
    ],
    [
      'the connection is lost',
      { connection: { ...CONNECTION, status: 'RECONNECTING', reason: 'gone', retryAt: '2026-11-27T02:00:07.000Z' } },
      /^connection lost, last known values, retry at 02:00:07 UTC \(gone\)/,
    ],
    ['keys cannot be read', { hasKeys: false }, /^Ctrl-C quit$/m],
    ['the filter is edited', { view: { isEditingFilter: true, filter: 'ab' } }, /^Filter: ab_$[^]*^Enter apply/m],
  ])('shows a hint when %s', (_condition, options, expected) => {
    expect(linesOf(options, SIZE).join('\n')).toMatch(expected);
  });

  test.each(SIZES)('shows a server that is not online at $columns columns and $rows rows', (size) => {
    const dead = serverOf('flow', { status: 'OFFLINE', stale: true, lastError: 'connect ECONNREFUSED 127.0.0.1:9500' });
    const agents = Array.from({ length: 100 }, (_, index) => agentOf(`a${index}`));
    const lines = linesOf({ agents, servers: [serverOf('a'), dead, serverOf('z')] }, size);
    expect(lines[1]).toMatch(/^OFFLINE flow: connect ECONNREF/);
    expect(lines.some((line) => line.includes('busy'))).toBe(true);
    expect(lines).toHaveLength(size.rows);
  });

  test.each([
    [{ columns: 40, rows: 10 }, ['OFFLINE s0: gone', /^8 OFFLINE: s1, s11, s2, s3, s4, s5/]],
    [{ columns: 80, rows: 24 }, ['OFFLINE s0: gone', 'OFFLINE s1: gone']],
  ])('counts failing servers that do not fit %j', (size, expected) => {
    const servers = Array.from({ length: 12 }, (_, index) =>
      serverOf(`s${index}`, {
        status: index === 10 ? 'DEGRADED' : index < 8 || index === 11 ? 'OFFLINE' : 'ONLINE',
        lastError: 'gone',
      }),
    );
    const lines = linesOf({ servers }, size);
    for (const [index, line] of expected.entries()) {
      if (typeof line === 'string') expect(lines[index + 1]).toBe(line);
      else expect(lines[index + 1]).toMatch(line);
    }
  });

  test('keeps long names different, and aligns wide characters', () => {
    const agents = [
      'research-agent-of-the-left-team-0001',
      'research-agent-of-the-left-team-0002',
      '日本語のエージェント番号一',
      '👩‍💻 builder',
    ].map((name, index) => agentOf(`${index}`, { name, activity: ACTIVITY }));
    const rows = linesOf({ agents }, { columns: 80, rows: 24 }).slice(3, 7);
    const names = rows.map((row) => row.slice(3, row.indexOf('Bash')).trim());
    expect(new Set(names).size).toBe(4);
    expect(rows.map((row) => stringWidth(row.slice(0, row.indexOf('Bash'))))).toEqual([18, 18, 18, 18]);
  });

  test('indents children below their parents', () => {
    const agents = [agentOf('lead'), agentOf('helper', { parentId: 'lead' }), agentOf('inner', { parentId: 'helper' })];
    const names = linesOf({ agents, view: { isTree: true } }, SIZE)
      .slice(3, 6)
      .map((line) => line.slice(3, 20).trimEnd());
    expect(names).toEqual(['lead', '└ helper', '  └ inner']);
  });

  test('shows all values of an agent, and unknown ones as unknown, on the page of details', () => {
    const agents = [{ ...WORKER, parentId: 'flow:b' }, agentOf('flow:b', { name: 'lead' })];
    const size = { columns: 60, rows: 60 };
    const text = linesOf({ agents, view: { page: 'details', selectedId: 'flow:a' } }, size).join('\n');
    expect(text).toMatch(/^Name +builder$/m);
    expect(text).toMatch(/^Tokens +12,345$/m);
    expect(text).toMatch(/^ {2}cache read +unknown$/m);
    expect(text).toMatch(/^Cost +\$0\.4200$/m);
    expect(text).toMatch(/^Parent +lead \(flow:b\)$/m);
    expect(text).toMatch(/^Since +2026-11-27T01:58:00.000Z \(2m ago\)$/m);
    expect(linesOf({ view: { page: 'details', selectedId: 'gone' } }, size)).toContain('This agent has ended.');
  });

  test('lists all servers, failing ones first, on the page of servers', () => {
    const servers = [
      serverOf('a', { simulated: true }),
      serverOf('x', { stale: true, status: 'OFFLINE', lastError: 'it\u001b[2J is\ngone' }),
    ];
    const lines = linesOf({ servers, view: { page: 'servers' } }, { columns: 120, rows: 24 });
    expect(lines[3]).toMatch(/^OFFLINE +x +CLAUDE_FLOW +STDIO +3 stale +CLOSED +3\.3 ms +it \[2J is gone$/);
    expect(lines[4]).toMatch(/^ONLINE +a +CLAUDE_FLOW \(simulated\)/);
  });

  test('for any names, window size and view: the frame fits and contains no control characters', () => {
    const activity = fc.record({
      kind: fc.constantFrom('TOOL', 'MODEL', 'WAITING', 'COMPACTING'),
      label: fc.option(TERMINAL_TEXT),
      detail: fc.option(TERMINAL_TEXT),
      since: fc.constantFrom('2026-11-20T01:58:00.000Z', TEXT_OF_SINCE, null),
      waitingFor: fc.constantFrom(null, 'ANSWER'),
      inferred: fc.boolean(),
    });
    const number = fc.option(fc.oneof(fc.double({ min: 0, noNaN: true }), fc.constantFrom(0, 1e21, 999.996)));
    const agent = fc.record({
      id: TERMINAL_TEXT,
      name: TERMINAL_TEXT,
      type: TERMINAL_TEXT,
      serverId: TERMINAL_TEXT,
      title: fc.option(TERMINAL_TEXT),
      parentId: fc.option(TERMINAL_TEXT),
      stale: fc.boolean(),
      activity: fc.option(activity),
      usage: fc.option(
        fc
          .record({ totalTokens: number, costUsd: number, costEstimated: fc.boolean(), complete: fc.boolean() })
          .map((usage) => ({ ...USAGE, ...usage })),
      ),
      context: fc.option(fc.record({ usedTokens: number, limitTokens: number, usedRatio: number })),
    });
    const server = fc.record({
      id: TERMINAL_TEXT,
      status: fc.constantFrom('ONLINE', 'OFFLINE', 'DEGRADED', 'CONNECTING'),
      lastError: fc.option(TERMINAL_TEXT),
    });
    const size = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 0, max: 50 }) });
    const view = fc.record({
      page: fc.constantFrom('agents', 'details', 'servers', 'help'),
      filter: fc.oneof(fc.constant(''), TERMINAL_TEXT),
      isEditingFilter: fc.boolean(),
      state: fc.constantFrom(null, ...AGENT_STATES),
      sort: fc.constantFrom(...SORT_COLUMNS),
      isReversed: fc.boolean(),
      isTree: fc.boolean(),
      scroll: fc.nat(10),
    });
    fc.assert(
      fc.property(
        fc.array(agent, { maxLength: 30 }),
        fc.array(server, { maxLength: 15 }),
        size,
        view,
        (agents, servers, window, patch) => {
          const { lines } = frameOf(
            {
              agents: agents.map((one) => agentOf(one.id, one)),
              servers: servers.map((one) => serverOf(one.id, one)),
              view: { ...patch, selectedId: agents[0]?.id ?? null },
            },
            window,
          );
          expect(lines.length).toBeLessThanOrEqual(window.rows);
          for (const line of lines.map(textOf)) {
            expect(stringWidth(line)).toBeLessThanOrEqual(window.columns);
            expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
          }
        },
      ),
      runs(200),
    );
  });
});

const TEXT_OF_SINCE = 'yesterday\u001b[2J';
