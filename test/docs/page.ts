import { readFileSync } from 'node:fs';

/** Fenced block of a page of docs/. */
export interface Block {
  /** Heading of the section that contains the block. */
  readonly section: string;
  /** Text after the opening fence, such as `json client`. */
  readonly kind: string;
  readonly text: string;
}

export function readPage(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** Returns the fenced blocks of a page in order. */
export function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let section = '';
  for (const [, heading, kind = '', body = ''] of text.matchAll(/^## ([^\n]+)$|^```([^\n]*)\n(.*?)^```$/gms)) {
    if (heading === undefined) blocks.push({ section, kind, text: body });
    else section = heading;
  }
  return blocks;
}

/** Returns the cells of each row of all tables of a page, without separator rows. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row = '']) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .filter(([first = '']) => !/^-+$/.test(first));
}
