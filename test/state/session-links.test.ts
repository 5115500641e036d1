import { describe, expect, test } from 'vitest';
import type { AgentStatus, McpServer, ServerOrigin } from '../../src/model/index.js';
import { emptyDelta, Store } from '../../src/state/index.js';
import { serverOf } from '../support/arbitraries.js';
import { agentWith, swarmWith } from './fixed-state.js';

interface Session {
  readonly observer?: string;
  readonly id: string;
  readonly status?: AgentStatus;
  readonly processKey?: string | null;
  readonly directoryKey?: string | null;
}

const HIVE = swarmWith('s', { id: 'flow:s', serverId: 'flow', serverType: 'CLAUDE_FLOW' });

/** Store with sessions of observers and one swarm of the server `flow`. */
class Scene {
  readonly store = new Store({ epoch: 'test', maxTombstones: 10, maxEvents: 10 });

  constructor(origin: ServerOrigin | undefined, sessions: readonly Session[]) {
    const server: McpServer = { ...serverOf('flow'), origin };
    this.store.commit({ ...emptyDelta('flow'), server, swarms: [HIVE] });
    for (const session of sessions) this.put(session);
  }

  put({ observer = 'claude', id, status = 'BUSY', processKey = null, directoryKey = null }: Session): void {
    const [serverId, swarmId] = [observer, `${observer}:${id}`];
    const agent = agentWith(id, { id: swarmId, serverId, serverType: 'CLAUDE_CODE', swarmId, type: 'session', status });
    const session = { agentId: swarmId, processKey, directoryKey };
    const swarm = swarmWith(id, { id: swarmId, serverId, serverType: 'CLAUDE_CODE', session });
    this.store.commit({ ...emptyDelta(serverId), server: serverOf(serverId), agents: [agent], swarms: [swarm] });
  }

  get link(): readonly [agentId: string, inferred: boolean] | null {
    const link = this.store.sessionOfSwarm(HIVE);
    return link && [link.agent.id, link.inferred];
  }
}

const TAP: ServerOrigin = { processKeys: ['npx', 'claude-2', 'shell', 'claude-1'], directoryKey: 'shop' };
const CONFIGURED: ServerOrigin = { processKeys: null, directoryKey: 'shop' };

const CASES: readonly (readonly [string, ServerOrigin | undefined, readonly Session[], Scene['link']])[] = [
  ['the process that has started the tap', TAP, [{ id: 'a', processKey: 'claude-2' }], ['claude:a', false]],
  [
    'the nearest of several processes',
    TAP,
    [
      { id: 'outer', processKey: 'claude-1' },
      { id: 'inner', processKey: 'claude-2' },
    ],
    ['claude:inner', false],
  ],
  [
    'the process and not the directory',
    TAP,
    [
      { id: 'a', processKey: 'claude-1', directoryKey: 'other' },
      { id: 'b', directoryKey: 'shop' },
    ],
    ['claude:a', false],
  ],
  ['no other process in the directory', TAP, [{ id: 'a', processKey: 'claude-9', directoryKey: 'shop' }], null],
  ['the only session without a process in the directory', TAP, [{ id: 'a', directoryKey: 'shop' }], ['claude:a', true]],
  [
    'the only session in the directory of a configured server',
    CONFIGURED,
    [
      { id: 'a', processKey: 'claude-9', directoryKey: 'shop' },
      { id: 'b', directoryKey: 'other' },
    ],
    ['claude:a', true],
  ],
  [
    'none of two sessions in the directory',
    CONFIGURED,
    [
      { id: 'a', directoryKey: 'shop' },
      { id: 'b', observer: 'codex', directoryKey: 'shop' },
    ],
    null,
  ],
  [
    'none of two sessions of one process',
    TAP,
    [
      { id: 'a', processKey: 'claude-2' },
      { id: 'b', processKey: 'claude-2' },
    ],
    null,
  ],
  [
    'the same session of two observers',
    CONFIGURED,
    [
      { id: 'a', directoryKey: 'shop' },
      { id: 'a', observer: 'other', directoryKey: 'shop' },
    ],
    ['claude:a', true],
  ],
  [
    'a session that goes on besides one that has ended',
    CONFIGURED,
    [
      { id: 'a', directoryKey: 'shop', status: 'TERMINATED' },
      { id: 'b', directoryKey: 'shop', status: 'WAITING' },
    ],
    ['claude:b', true],
  ],
  ['no idle session that may have ended', CONFIGURED, [{ id: 'a', directoryKey: 'shop', status: 'IDLE' }], null],
  [
    'an idle session whose process runs',
    CONFIGURED,
    [{ id: 'a', directoryKey: 'shop', status: 'IDLE', processKey: 'claude-9' }],
    ['claude:a', true],
  ],
  ['no session for another server', undefined, [{ id: 'a', directoryKey: 'shop', processKey: 'npx' }], null],
  ['no session without observers', TAP, [], null],
];

describe('Store.sessionOfSwarm', () => {
  test.each(CASES)('returns %s', (_name, origin, sessions, expected) => {
    expect(new Scene(origin, sessions).link).toEqual(expected);
  });

  test('returns null when the session has ended or another one appears, and the session again afterwards', () => {
    const session = { id: 'a', processKey: 'claude-9', directoryKey: 'shop' };
    const scene = new Scene(CONFIGURED, [session]);
    expect(scene.link).toEqual(['claude:a', true]);
    scene.put({ id: 'b', directoryKey: 'shop' });
    expect(scene.link).toBeNull();
    scene.put({ id: 'b', directoryKey: 'shop', status: 'TERMINATED' });
    expect(scene.link).toEqual(['claude:a', true]);
    scene.put({ ...session, processKey: null, status: 'TERMINATED' });
    expect(scene.link).toBeNull();
  });

  test('returns null when the tap has ended', () => {
    const scene = new Scene(TAP, [{ id: 'a', processKey: 'claude-2' }]);
    expect(scene.link).toEqual(['claude:a', false]);
    scene.store.commit({ ...emptyDelta('flow'), server: { ...serverOf('flow', true), origin: TAP } });
    expect(scene.link).toBeNull();
  });

  test('returns null for the swarm of a session', () => {
    const { store } = new Scene(CONFIGURED, [{ id: 'a', directoryKey: 'shop' }]);
    const swarm = store.swarms.get('claude:a');

    expect(swarm?.session?.agentId).toBe('claude:a');
    expect(swarm && store.sessionOfSwarm(swarm)).toBeNull();
  });
});
