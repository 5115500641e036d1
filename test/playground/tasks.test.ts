import type { Task } from '@swarmlens/client';
import { describe, expect, test } from 'vitest';
import { buildTaskBoard, listTasksOf } from '../../playground/model/task-board.js';
import { NO_FILTER } from '../../playground/model/view-state.js';
import { byId, createAgent } from './agents.js';

function createTask(nativeId: string, values: Partial<Task> = {}): Task {
  return {
    ...{ id: `x:${nativeId}`, nativeId, serverId: 'x', serverType: 'RUV_SWARM', swarmId: null, title: null },
    ...{
      status: 'PENDING',
      agentIds: [],
      dependsOnIds: [],
      createdAt: null,
      startedAt: null,
      endedAt: null,
      stale: false,
    },
    ...values,
  };
}

describe('buildTaskBoard', () => {
  test('puts each task into the column of its status, the newest first', () => {
    const tasks = byId(
      createTask('old', { createdAt: '2026-11-29T10:00:00.000Z' }),
      createTask('new', { createdAt: '2026-11-29T11:00:00.000Z' }),
      createTask('failed', { status: 'FAILED' }),
      createTask('canceled', { status: 'CANCELED' }),
      createTask('running', { status: 'IN_PROGRESS' }),
    );
    const { columns, total } = buildTaskBoard(tasks, new Map(), NO_FILTER);
    expect(columns.map(({ title, tasks: own }) => [title, own.map(({ nativeId }) => nativeId)])).toEqual([
      ['Pending', ['new', 'old']],
      ['In progress', ['running']],
      ['Blocked', []],
      ['Completed', []],
      ['Failed or canceled', ['canceled', 'failed']],
    ]);
    expect(total).toBe(5);
  });

  test('shows a column of unknown statuses only if there are any', () => {
    const { columns } = buildTaskBoard(byId(createTask('a', { status: 'UNKNOWN' })), new Map(), NO_FILTER);
    expect(columns.at(-1)).toMatchObject({ title: 'Unknown status', total: 1 });
  });

  test('applies filters and search to tasks and their agents, and keeps the total', () => {
    const agents = byId(createAgent('coder-1'), createAgent('tester-1', { type: 'tester' }));
    const tasks = byId(
      createTask('a', { title: 'Write', agentIds: ['x:coder-1'], swarmId: 'x:s' }),
      createTask('b', { title: 'Test', agentIds: ['x:tester-1'] }),
      createTask('c', { serverType: 'CODEX' }),
    );
    const idsOf = (filter: Partial<typeof NO_FILTER>): readonly string[] => {
      const board = buildTaskBoard(tasks, agents, { ...NO_FILTER, ...filter });
      expect(board.total).toBe(3);
      return board.columns.flatMap((column) => column.tasks.map(({ nativeId }) => nativeId));
    };
    expect(idsOf({ agentTypes: ['tester'] })).toEqual(['b']);
    expect(idsOf({ search: 'CODER' })).toEqual(['a']);
    expect(idsOf({ swarmIds: ['x:s'] })).toEqual(['a']);
    expect(idsOf({ serverTypes: ['CODEX'] })).toEqual(['c']);
  });

  test('limits the shown tasks of a column, and counts all', () => {
    const tasks = byId(...Array.from({ length: 1_000 }, (_, index) => createTask(`${index}`)));
    const [pending] = buildTaskBoard(tasks, new Map(), NO_FILTER).columns;
    expect(pending).toMatchObject({ total: 1_000 });
    expect(pending?.tasks).toHaveLength(100);
  });
});

describe('listTasksOf', () => {
  test('lists the tasks of an agent, open ones first', () => {
    const agentIds = ['x:a'];
    const tasks = byId(
      createTask('done', { status: 'COMPLETED', agentIds }),
      createTask('other', { agentIds: ['x:b'] }),
      createTask('open', { status: 'IN_PROGRESS', agentIds }),
    );
    expect(listTasksOf('x:a', tasks).map(({ nativeId }) => nativeId)).toEqual(['open', 'done']);
  });
});
