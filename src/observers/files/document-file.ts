import { readBytes, withOpenFile } from './open-file.js';

/** Largest document that is read, in bytes. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** Content of a document, or the reason why there is none. */
export type DocumentReading =
  | { readonly kind: 'value'; readonly value: unknown }
  /** The document is being written at this moment, or damaged. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'large' }
  | { readonly kind: 'foreign' };

/**
 * Reads a JSON document.
 * @throws the error of the system
 */
export async function readDocument(location: string): Promise<DocumentReading> {
  const reading = await withOpenFile(location, async ({ handle, stats }): Promise<DocumentReading> => {
    if (stats.size > MAX_DOCUMENT_BYTES) return { kind: 'large' };
    const text = (await readBytes(handle, 0, stats.size)).toString('utf8');
    try {
      const value: unknown = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
      return { kind: 'value', value };
    } catch {
      return { kind: 'malformed' };
    }
  });
  return reading ?? { kind: 'foreign' };
}
