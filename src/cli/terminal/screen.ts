import type { Readable, Writable } from 'node:stream';

/** Standard output. The members besides `Writable` exist only if it is a terminal. */
export interface TerminalOutput extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** Standard input. The members besides `Readable` exist only if it is a terminal. */
export interface TerminalInput extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  ref?(): unknown;
  unref?(): unknown;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Size of a terminal that does not report its size. */
const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };

/** Returns the size of a terminal. A terminal that does not know its size reports 0. */
export function sizeOf({ columns, rows }: TerminalOutput): TerminalSize {
  return {
    columns: columns === undefined || columns === 0 ? DEFAULT_SIZE.columns : columns,
    rows: rows === undefined || rows === 0 ? DEFAULT_SIZE.rows : rows,
  };
}
