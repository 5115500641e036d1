import { stripVTControlCharacters } from 'node:util';

/** In one line without control characters and terminal colours, at most `maxLength` long: what a server writes is data. */
export function printable(text: string, maxLength: number): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, maxLength);
}
