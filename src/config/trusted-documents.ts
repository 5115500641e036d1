import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const MANIFEST = z.record(z.string(), z.string());

/**
 * Reads the manifest that `swarmlens.trustedDocuments` names: `{ "<SHA-256 of the text, hex>": "<text>" }`.
 * @returns texts by hash; empty when it is wrong, and then `problems` has grown
 */
export async function readTrustedDocuments(file: string, problems: string[]): Promise<ReadonlyMap<string, string>> {
  const refuse = (reason: string): ReadonlyMap<string, string> => {
    problems.push(`swarmlens.trustedDocuments: ${file}: ${reason}`);
    return new Map();
  };
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return refuse('cannot be read – expected the manifest of a code generator');
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  const manifest = MANIFEST.safeParse(json);
  if (!manifest.success) return refuse('expected an object of documents, each under the SHA-256 of its text');
  const documents = new Map(Object.entries(manifest.data));
  for (const [hash, document] of documents) {
    if (createHash('sha256').update(document).digest('hex') === hash) continue;
    return refuse(`${JSON.stringify(hash.slice(0, 64))} is not the SHA-256 of its document, in lower-case hex`);
  }
  return documents;
}
