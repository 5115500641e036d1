import { readFileSync } from 'node:fs';

/** A fenced block of a page of docs/. */
export interface Block {
  /** The heading that it stands under. */
  readonly section: string;
  /** All that stands behind the fence: `json client`. */
  readonly kind: string;
  readonly text: string;
}

export function page(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** The fenced blocks of a page, in their order. */
export function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let section = '';
  for (const [, heading, kind = '', body = ''] of text.matchAll(/^## ([^\n]+)$|^```([^\n]*)\n(.*?)^```$/gms)) {
    if (heading === undefined) blocks.push({ section, kind, text: body });
    else section = heading;
  }
  return blocks;
}

/** Cells of each row of the tables of a page, without heads. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row = '']) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .filter(([first = '']) => !/^-+$/.test(first));
}
