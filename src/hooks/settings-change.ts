import {
  type InstallRecord,
  readRecord,
  recordFileOf,
  removeRecord,
  restoreText,
  writeRecord,
} from './install-record.js';
import type { ProgramHooks } from './program-hooks.js';
import { deleteSettings, findMissingPart, readSettings, SettingsFileError, writeSettings } from './settings-file.js';
import { addHooks, hasHooks, isEmptySettings, removeHooks, SettingsTextError } from './settings-text.js';

const NEW_SETTINGS = '{}\n';

/** Planned change of a settings file. */
export interface SettingsChange {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  /** Whether the file is deleted. */
  readonly deletesFile: boolean;
  /**
   * Writes the change.
   * @throws SettingsFileError if the file has changed since the plan, or cannot be written
   */
  apply(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Plans the installation of hooks in a settings file. Replaces hooks of other versions, and keeps those of other programs. Returns
 * null if the hooks are installed already.
 * @throws SettingsFileError if the file cannot be changed
 */
export async function planInstallation(
  path: string,
  hooks: ProgramHooks,
  env: Environment,
): Promise<SettingsChange | null> {
  const file = await readSettings(path);
  const recordFile = recordFileOf(path, env);
  const record = await readRecord(recordFile);
  return explain(path, async () => {
    if (file.text !== null && hasHooks(file.text, hooks)) return null;
    const [original, created] =
      file.text === null
        ? [NEW_SETTINGS, await findMissingPart(path)]
        : [restoreText(file.text, record) ?? removeHooks(file.text), createdPart(file.text, record)];
    const installed = addHooks(original, hooks);
    return {
      path,
      before: file.text ?? '',
      after: installed.text,
      deletesFile: false,
      apply: async () => {
        // Without its record, the file can still be restored, except for its formatting.
        await writeRecord(recordFile, installed, created);
        await writeSettings(file, installed.text);
      },
    };
  });
}

/**
 * Plans the removal of all hooks of swarmlens from a settings file. Returns null if there are none.
 * @throws SettingsFileError if the file cannot be changed
 */
export async function planRemoval(path: string, env: Environment): Promise<SettingsChange | null> {
  const file = await readSettings(path);
  const { text } = file;
  if (text === null) return null;
  const recordFile = recordFileOf(path, env);
  const record = await readRecord(recordFile);
  return explain(path, () => {
    const after = restoreText(text, record) ?? removeHooks(text);
    if (after === text) return null;
    const created = createdPart(text, record);
    const deletesFile = created !== null && isEmptySettings(after);
    return {
      path,
      before: text,
      after: deletesFile ? '' : after,
      deletesFile,
      apply: async () => {
        await (deletesFile ? deleteSettings(file, created) : writeSettings(file, after));
        await removeRecord(recordFile);
      },
    };
  });
}

/** Returns what the installation created, if the file still contains its hooks. */
function createdPart(text: string, record: InstallRecord | null): string | null {
  return removeHooks(text) === text ? null : (record?.created ?? null);
}

async function explain<T>(path: string, plan: () => T | Promise<T>): Promise<T> {
  try {
    return await plan();
  } catch (error) {
    if (!(error instanceof SettingsTextError)) throw error;
    throw new SettingsFileError(path, error.message);
  }
}
