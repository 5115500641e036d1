/**
 * Decodes the text of a configuration file: UTF-8 or UTF-16, with or without a byte order mark. Without one, UTF-16 is
 * detected by the zero byte of the first character, because these files begin with an ASCII character.
 */
export function decodeText(bytes: Uint8Array): string {
  // The decoder removes the byte order mark.
  return new TextDecoder(detectEncoding(bytes)).decode(bytes);
}

function detectEncoding([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first !== 0 && second === 0) return 'utf-16le';
  return first === 0 && second !== undefined && second !== 0 ? 'utf-16be' : 'utf-8';
}
