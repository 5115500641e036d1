import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const manifestSchema = z.record(z.string(), z.string());

/**
 * Reads the manifest of trusted documents: `{ "<SHA-256 of the text, hex>": "<text>" }`. Returns the documents by hash,
 * or none if the manifest is invalid and added to `problems`.
 */
export async function readTrustedDocuments(file: string, problems: string[]): Promise<ReadonlyMap<string, string>> {
  const reject = (reason: string): ReadonlyMap<string, string> => {
    problems.push(`swarmlens.trustedDocuments: ${file}: ${reason}`);
    return new Map();
  };
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return reject('cannot be read – expected a manifest of trusted documents');
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return reject('is not JSON');
  }
  const manifest = manifestSchema.safeParse(json);
  if (!manifest.success) return reject('expected an object with documents by the SHA-256 of their text');
  const documents = new Map(Object.entries(manifest.data));
  for (const [hash, document] of documents) {
    if (createHash('sha256').update(document).digest('hex') === hash) continue;
    return reject(`${JSON.stringify(hash.slice(0, 64))} is not the SHA-256 of its document, in lowercase hexadecimal`);
  }
  return documents;
}
