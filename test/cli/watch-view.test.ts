import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentRows } from '../../src/cli/watch/agent-rows.js';
import {
  applyKey,
  INITIAL_VIEW,
  type KeyName,
  settleView,
  type ViewContents,
  type ViewEffect,
  type WatchKey,
  type WatchView,
} from '../../src/cli/watch/view-state.js';
import { runs } from '../support/fuzz-inputs.js';
import { agentOf, mapOf } from './watch-fixtures.js';

/** View whose rows are followed after each key, as the program does. */
class View {
  readonly #rows = new AgentRows();
  agents;
  view: WatchView = INITIAL_VIEW;
  effect: ViewEffect | null = null;
  pageRows = 5;
  lineCount = 40;

  constructor(count: number) {
    this.agents = mapOf(Array.from({ length: count }, (_, index) => agentOf(`a${String(index).padStart(2, '0')}`)));
  }

  contents(): ViewContents {
    return {
      rows: this.#rows.select(this.agents, this.view),
      indexOf: (id) => this.#rows.indexOf(id),
      pageRows: this.pageRows,
      lineCount: this.lineCount,
    };
  }

  settle(): this {
    this.view = settleView(this.view, this.contents());
    return this;
  }

  press(...keys: (WatchKey | KeyName)[]): this {
    for (const key of keys) {
      const applied = applyKey(this.view, typeof key === 'string' ? { name: key } : key, this.contents());
      this.view = applied.view;
      this.effect = applied.effect;
      this.settle();
    }
    return this;
  }

  type(text: string): this {
    return this.press({ name: 'text', text });
  }

  get selected(): string | undefined {
    return this.contents().rows[this.view.selectedIndex]?.agent.id;
  }
}

describe('applyKey', () => {
  test.each<[string, (WatchKey | KeyName)[], string, number]>([
    ['down and up', ['down', 'down', 'up'], 'a01', 0],
    ['j and k', [{ name: 'text', text: 'jjjk' }], 'a02', 0],
    ['page down', ['page-down', 'page-down'], 'a08', 4],
    ['a space and page up', [{ name: 'text', text: '  ' }, 'page-up'], 'a04', 4],
    ['end', ['end'], 'a29', 25],
    ['G and g', [{ name: 'text', text: 'Gg' }], 'a00', 0],
    ['up at the first row', ['up'], 'a00', 0],
    ['down at the last row', ['end', 'down'], 'a29', 25],
  ])('moves with %s', (_name, keys, selected, top) => {
    const view = new View(30).press(...keys);
    expect([view.selected, view.view.top]).toEqual([selected, top]);
  });

  test('filters while the filter is typed, and removes it with Escape', () => {
    const view = new View(30).type('/a1');
    expect([view.view.isEditingFilter, view.contents().rows.length]).toEqual([true, 10]);
    view.type('7q').press('backspace', 'enter');
    expect([view.view.filter, view.view.isEditingFilter, view.contents().rows.length]).toEqual(['a17', false, 1]);
    view.press('escape');
    expect([view.view.filter, view.contents().rows.length]).toEqual(['', 30]);
    expect(view.type('/x').press('escape').view).toMatchObject({ filter: '', isEditingFilter: false });
    expect(view.type('/abc').press('clear').view).toMatchObject({ filter: '', isEditingFilter: true });
    expect(view.press('backspace').view.isEditingFilter).toBe(false);
  });

  test('ignores control characters and too much text in the filter', () => {
    const view = new View(1).type('/').type('a\u001b[2J').type('x'.repeat(1_000));
    expect(view.view.filter).toBe('a [2J');
  });

  test('cycles through statuses, columns, directions and the tree', () => {
    const view = new View(3);
    expect(view.type('f').view.state).toBe('waiting');
    expect(view.type('FF').view.state).toBe('stale');
    expect(view.type('f').view.state).toBeNull();
    expect(view.type('F').view.state).toBe('stale');
    expect(view.press('escape').view.state).toBeNull();
    expect(view.type('sr').view).toMatchObject({ sort: 'agent', isReversed: true });
    expect(view.selected).toBe('a02');
    expect(view.type('S').view).toMatchObject({ sort: 'status', isReversed: false });
    expect(view.type('t').view.isTree).toBe(true);
  });

  test('opens and closes pages', () => {
    const view = new View(9).press('down', 'enter');
    expect(view.view).toMatchObject({ page: 'details', selectedId: 'a01', scroll: 0 });
    expect(view.press('down', 'end').view.scroll).toBe(35);
    expect(view.press('home').view.scroll).toBe(0);
    expect(view.type('q').view).toMatchObject({ page: 'agents', selectedId: 'a01' });
    expect(view.effect).toBeNull();
    for (const [key, page] of [
      ['?', 'help'],
      ['v', 'servers'],
    ] as const) {
      expect(view.type(key).view.page).toBe(page);
      expect(view.type(key).view.page).toBe('agents');
      expect(view.type(key).press('escape').view.page).toBe('agents');
    }
  });

  test('does not open details without agents', () => {
    expect(new View(0).press('enter', 'down', 'end').view).toMatchObject({ page: 'agents', selectedIndex: 0 });
  });

  test.each<[string, (view: View) => View, ViewEffect | null]>([
    ['q quits', (view) => view.type('q'), 'quit'],
    ['q is text of the filter', (view) => view.type('/').type('q'), null],
    ['Ctrl-C quits while the filter is edited', (view) => view.type('/').press('quit'), 'quit'],
    ['Ctrl-Z suspends', (view) => view.press('suspend'), 'suspend'],
    ['other keys do nothing', (view) => view.type('xyz%'), null],
  ])('%s', (_name, act, effect) => {
    expect(act(new View(2)).effect).toBe(effect);
  });
});

describe('settleView', () => {
  test('follows the selected agent when the order changes', () => {
    const view = new View(30).press('down', 'down');
    view.agents = mapOf(
      [...view.agents.values()].map((agent) => (agent.id > 'a10' ? { ...agent, status: 'ERROR' } : agent)),
    );
    expect(view.settle().selected).toBe('a02');
    expect(view.view.selectedIndex).toBe(21);
  });

  test('stays on the first row until a key moves the selection', () => {
    const view = new View(3).settle();
    view.agents = mapOf([agentOf('a'), ...view.agents.values()]);
    expect(view.settle().selected).toBe('a');
  });

  test('selects the next agent when the selected one ends', () => {
    const view = new View(5).press('down');
    view.agents = mapOf([...view.agents.values()].filter(({ id }) => id !== 'a01'));
    expect(view.settle().view).toMatchObject({ selectedId: 'a02', selectedIndex: 1 });
    view.agents = mapOf([]);
    expect(view.settle().view).toMatchObject({ selectedIndex: 0, top: 0 });
  });

  test('keeps the details of an agent that ended', () => {
    const view = new View(5).press('down', 'enter');
    view.agents = mapOf([]);
    expect(view.settle().view).toMatchObject({ page: 'details', selectedId: 'a01' });
  });

  test('for any keys, sizes and agents: the selected row is visible', () => {
    const key = fc.oneof(
      fc.constantFrom<WatchKey[]>(
        ...(
          ['up', 'down', 'page-up', 'page-down', 'home', 'end', 'enter', 'escape', 'backspace', 'clear'] as const
        ).map((name) => ({ name })),
      ),
      fc
        .constantFrom('j', 'k', 'f', 's', 'r', 't', '/', 'a1', 'q', '?', 'v', '日')
        .map((text) => ({ name: 'text' as const, text })),
    );
    const step = fc.record({ key, count: fc.nat(40), pageRows: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const view = new View(10);
        for (const { key: pressed, count, pageRows } of steps) {
          view.press(pressed);
          view.agents = new View(count).agents;
          view.pageRows = pageRows;
          const { top, selectedIndex } = view.settle().view;
          const { rows } = view.contents();
          expect(selectedIndex).toBeGreaterThanOrEqual(0);
          expect(selectedIndex).toBeLessThan(Math.max(1, rows.length));
          expect(selectedIndex - top).toBeGreaterThanOrEqual(0);
          expect(selectedIndex - top).toBeLessThan(pageRows);
        }
      }),
      runs(200),
    );
  });
});
