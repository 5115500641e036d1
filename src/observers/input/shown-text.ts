import { toPrintableLine } from '../../shared/sanitize/index.js';

/**
 * Texts that leave an observer. `none`: only names, types, counts and times. `titles`: also titles of sessions, agents and
 * tasks. `all`: also messages and what tools work on.
 */
export const SHOWN_TEXTS = ['none', 'titles', 'all'] as const;
export type ShownText = (typeof SHOWN_TEXTS)[number];

const MAX_NAME_LENGTH = 120;
const MAX_TITLE_LENGTH = 200;
const MAX_DETAIL_LENGTH = 500;

/** Short names of tools, models and types, which need no cleaning. */
const PLAIN_NAME = /^[A-Za-z0-9_.:[\]-]{1,31}$/;

/** Returns a name of an agent, tool, type or model on one line. Null if nothing printable is left. */
export function toName(text: string | null): string | null {
  return text !== null && PLAIN_NAME.test(text) ? text : toLine(text, MAX_NAME_LENGTH);
}

/** Returns a title on one line without secrets. Null if titles are not shown. */
export function toTitle(text: string | null, shown: ShownText): string | null {
  return shown === 'none' ? null : toLine(text, MAX_TITLE_LENGTH);
}

/** Returns a message or input of a tool on one line without secrets. Null unless all texts are shown. */
export function toDetail(text: string | null, shown: ShownText): string | null {
  return shown === 'all' ? toLine(text, MAX_DETAIL_LENGTH) : null;
}

/** Returns the last part of the path of a directory, also of one on Windows. */
export function toWorkspace(directory: string | null): string | null {
  return toName(directory?.split(/[\\/]/).findLast((part) => part !== '') ?? null);
}

function toLine(text: string | null, maxLength: number): string | null {
  if (text === null) return null;
  const line = toPrintableLine(text, maxLength).trim();
  return line === '' ? null : line;
}
