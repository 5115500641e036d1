import { AGENT_STATES, type AgentState } from '@swarmlens/client';
import { type AgentRow, type RowOptions, SORT_COLUMNS } from './agent-rows.js';
import { dropLastGrapheme, toTerminalText } from './terminal-text.js';

/** Maximum length of the filter in UTF-16 units. */
const MAX_FILTER_LENGTH = 100;

/** Key that the user pressed: a named key, or characters that were typed or pasted. */
export type WatchKey =
  | { readonly name: KeyName }
  /** Typed or pasted characters. */
  | { readonly name: 'text'; readonly text: string };

export type KeyName =
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'backspace'
  | 'clear'
  | 'quit'
  | 'suspend'
  | 'redraw';

export type WatchPage = 'agents' | 'details' | 'servers' | 'help';

/** State of the view that keys change. */
export interface WatchView extends RowOptions {
  readonly page: WatchPage;
  readonly isEditingFilter: boolean;
  readonly state: AgentState | null;
  /** Selected agent. Null while the selection stays on the first row. */
  readonly selectedId: string | null;
  readonly selectedIndex: number;
  /** Index of the first visible agent. */
  readonly top: number;
  /** Index of the first visible line of the other pages. */
  readonly scroll: number;
}

export const INITIAL_VIEW: WatchView = {
  page: 'agents',
  filter: '',
  isEditingFilter: false,
  state: null,
  sort: 'status',
  isReversed: false,
  isTree: false,
  selectedId: null,
  selectedIndex: 0,
  top: 0,
  scroll: 0,
};

/** Contents that the last frame showed, by which keys move. */
export interface ViewContents {
  readonly rows: readonly AgentRow[];
  /** Returns the index of an agent in `rows`, or -1. */
  readonly indexOf: (id: string) => number;
  /** Number of rows or lines that fit the window. */
  readonly pageRows: number;
  /** Number of lines of a page other than the table of agents. */
  readonly lineCount: number;
}

export type ViewEffect = 'quit' | 'suspend' | 'redraw';

/** Applies a key. Returns the new view, and what the program does besides drawing it. */
export function applyKey(
  view: WatchView,
  key: WatchKey,
  contents: ViewContents,
): { readonly view: WatchView; readonly effect: ViewEffect | null } {
  if (key.name === 'quit' || key.name === 'suspend' || key.name === 'redraw') return { view, effect: key.name };
  if (view.isEditingFilter) return { view: editFilter(view, key, contents), effect: null };
  if (key.name !== 'text') return { view: applyNamedKey(view, key.name, contents), effect: null };
  let next = view;
  for (const character of key.text) {
    if (next.isEditingFilter) {
      next = editFilter(next, { name: 'text', text: character }, contents);
    } else if (character === 'q' && next.page === 'agents') {
      return { view: next, effect: 'quit' };
    } else {
      next = applyCharacter(next, character, contents);
    }
  }
  return { view: next, effect: null };
}

/** Follows the selected agent in new rows, and keeps it visible. */
export function settleView(view: WatchView, { rows, indexOf, pageRows, lineCount }: ViewContents): WatchView {
  const lastIndex = Math.max(0, rows.length - 1);
  const found = view.selectedId === null ? 0 : indexOf(view.selectedId);
  const selectedIndex = found >= 0 ? found : clamp(view.selectedIndex, 0, lastIndex);
  // The details of an agent that has ended stay open.
  const keepsId = found >= 0 || view.page === 'details' || rows.length === 0;
  const selectedId = keepsId ? view.selectedId : (rows[selectedIndex]?.agent.id ?? null);
  const visible = Math.max(1, pageRows);
  const top = clamp(clamp(view.top, selectedIndex - visible + 1, selectedIndex), 0, Math.max(0, rows.length - visible));
  const scroll = clamp(view.scroll, 0, Math.max(0, lineCount - visible));
  return { ...view, selectedId, selectedIndex, top, scroll };
}

function applyNamedKey(view: WatchView, name: KeyName, contents: ViewContents): WatchView {
  const page = Math.max(1, contents.pageRows - 1);
  switch (name) {
    case 'up':
      return move(view, -1, contents);
    case 'down':
      return move(view, 1, contents);
    case 'page-up':
      return move(view, -page, contents);
    case 'page-down':
      return move(view, page, contents);
    case 'home':
      return view.page === 'agents' ? { ...view, selectedId: null, selectedIndex: 0 } : { ...view, scroll: 0 };
    case 'end':
      return move(view, Number.MAX_SAFE_INTEGER, contents);
    case 'enter':
      return openDetails(view, contents);
    case 'escape':
      return goBack(view);
    case 'backspace':
      return view.page === 'agents' ? view : goBack(view);
    default:
      return view;
  }
}

function applyCharacter(view: WatchView, character: string, contents: ViewContents): WatchView {
  switch (character) {
    case 'k':
      return move(view, -1, contents);
    case 'j':
      return move(view, 1, contents);
    case 'g':
      return applyNamedKey(view, 'home', contents);
    case 'G':
      return applyNamedKey(view, 'end', contents);
    case ' ':
      return applyNamedKey(view, 'page-down', contents);
    case 'q':
      return goBack(view);
    case '?':
      return openPage(view, 'help');
    case 'v':
      return openPage(view, 'servers');
  }
  if (view.page !== 'agents') return view;
  switch (character) {
    case '/':
      return { ...view, isEditingFilter: true };
    case 'f':
      return toFirstRow({ ...view, state: cycle([null, ...AGENT_STATES], view.state, 1) });
    case 'F':
      return toFirstRow({ ...view, state: cycle([null, ...AGENT_STATES], view.state, -1) });
    case 's':
      return toFirstRow({ ...view, sort: cycle(SORT_COLUMNS, view.sort, 1), isReversed: false });
    case 'S':
      return toFirstRow({ ...view, sort: cycle(SORT_COLUMNS, view.sort, -1), isReversed: false });
    case 'r':
      return toFirstRow({ ...view, isReversed: !view.isReversed });
    case 't':
      return { ...view, isTree: !view.isTree };
    default:
      return view;
  }
}

function editFilter(view: WatchView, key: WatchKey, contents: ViewContents): WatchView {
  switch (key.name) {
    case 'text':
      return toFirstRow({ ...view, filter: appendToFilter(view.filter, toTerminalText(key.text)) });
    case 'enter':
      return { ...view, isEditingFilter: false };
    case 'escape':
      return toFirstRow({ ...view, filter: '', isEditingFilter: false });
    case 'backspace':
      return view.filter === ''
        ? { ...view, isEditingFilter: false }
        : toFirstRow({ ...view, filter: dropLastGrapheme(view.filter) });
    case 'clear':
      return toFirstRow({ ...view, filter: '' });
    default:
      return applyNamedKey(view, key.name, contents);
  }
}

function appendToFilter(filter: string, text: string): string {
  return filter.length + text.length > MAX_FILTER_LENGTH ? filter : filter + text;
}

function move(view: WatchView, by: number, { rows, lineCount, pageRows }: ViewContents): WatchView {
  if (view.page !== 'agents') {
    return { ...view, scroll: clamp(view.scroll + by, 0, Math.max(0, lineCount - pageRows)) };
  }
  const selectedIndex = clamp(view.selectedIndex + by, 0, Math.max(0, rows.length - 1));
  return { ...view, selectedIndex, selectedId: rows[selectedIndex]?.agent.id ?? null };
}

function openDetails(view: WatchView, { rows }: ViewContents): WatchView {
  const row = rows[view.selectedIndex];
  if (view.page !== 'agents' || row === undefined) return view;
  return { ...view, page: 'details', selectedId: row.agent.id, scroll: 0 };
}

function openPage(view: WatchView, page: WatchPage): WatchView {
  return { ...view, page: view.page === page ? 'agents' : page, scroll: 0 };
}

/** Closes a page, or else removes the filters. */
function goBack(view: WatchView): WatchView {
  if (view.page !== 'agents') return { ...view, page: 'agents', scroll: 0 };
  return view.filter === '' && view.state === null ? view : toFirstRow({ ...view, filter: '', state: null });
}

/** Moves the selection to the first row, because other rows are shown. */
function toFirstRow(view: WatchView): WatchView {
  return { ...view, selectedId: null, selectedIndex: 0 };
}

function cycle<T>(values: readonly T[], value: T, step: 1 | -1): T {
  const index = (values.indexOf(value) + step + values.length) % values.length;
  // Null is a value here.
  const next = values[index];
  return next === undefined ? value : next;
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}
