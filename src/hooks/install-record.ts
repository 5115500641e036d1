import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { stateDirectory } from '../shared/index.js';
import { removeRanges } from './json-edits.js';
import type { InstalledText } from './settings-text.js';

const NAME_LENGTH = 12;

const recordSchema = z.object({
  /** SHA-256 of the settings after the installation, as hex. */
  sha256: z.string(),
  /** Path of the outermost directory or file that the installation created. Null if the file existed. */
  created: z.string().nullable(),
  ranges: z.array(z.object({ offset: z.int().nonnegative(), length: z.int().nonnegative() })).max(1_000),
});

/**
 * Positions of installed hooks in a settings file, from which the removal restores the file byte by byte. Contains no text of the
 * settings.
 */
export type InstallRecord = z.infer<typeof recordSchema>;

/** Returns the path of the record of a settings file. */
export function recordFileOf(settingsFile: string, env: Readonly<Record<string, string | undefined>>): string {
  return join(stateDirectory(env), 'hooks', `${sha256(settingsFile).slice(0, NAME_LENGTH)}.json`);
}

/** Reads a record. Returns null if it is missing or unusable. */
export async function readRecord(recordFile: string): Promise<InstallRecord | null> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(recordFile, 'utf8')));
  } catch {
    return null;
  }
}

/** Writes a record, before the settings are written. */
export async function writeRecord(
  recordFile: string,
  { text, ranges }: InstalledText,
  created: string | null,
): Promise<void> {
  const record: InstallRecord = { sha256: sha256(text), created, ranges: [...ranges] };
  await mkdir(dirname(recordFile), { recursive: true, mode: 0o700 });
  const draft = `${recordFile}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
  await rename(draft, recordFile);
}

export async function removeRecord(recordFile: string): Promise<void> {
  await rm(recordFile, { force: true });
}

/** Returns the settings before the installation. Null if they have changed since. */
export function restoreText(text: string, record: InstallRecord | null): string | null {
  return record?.sha256 === sha256(text) ? removeRanges(text, record.ranges) : null;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
