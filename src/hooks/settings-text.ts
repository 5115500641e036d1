import { isDeepStrictEqual } from 'node:util';
import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { DocumentSyntaxError, isTable, parseDocument } from '../client-files/index.js';
import { appendChildren, applyInsertions, type Insertion, removeChild, type TextRange } from './json-edits.js';
import { isOwnHandler, type ProgramHooks } from './program-hooks.js';

const HOOKS_KEY = 'hooks';
const MANUAL_ADVICE = 'or add the output of `swarmlens hooks print` by hand';

/** Error of settings that cannot be changed. The message is the reason, without the path. */
export class SettingsTextError extends Error {
  override readonly name = 'SettingsTextError';
}

/** Settings with hooks, and where the hooks were inserted. */
export interface InstalledText {
  readonly text: string;
  readonly ranges: readonly TextRange[];
}

/**
 * Returns whether settings contain exactly these hooks, besides those of other programs.
 * @throws SettingsTextError
 */
export function hasHooks(text: string, hooks: ProgramHooks): boolean {
  const { events } = parseSettings(text);
  const own = Object.entries(events)
    .map(([event, groups]) => [event, groups.filter((group) => handlersOf(group).some(isOwnHandler))] as const)
    .filter(([, groups]) => groups.length > 0);
  return isDeepStrictEqual(new Map(own), new Map(Object.entries(hooks)));
}

/**
 * Appends hooks to settings without hooks of swarmlens.
 * @throws SettingsTextError
 */
export function addHooks(text: string, hooks: ProgramHooks): InstalledText {
  const { root } = parseSettings(text);
  const existing = findNodeAtLocation(root, [HOOKS_KEY]);
  if (existing === undefined) {
    return applyInsertions(text, [appendChildren(text, root, [{ key: HOOKS_KEY, value: hooks }])]);
  }
  const insertions: Insertion[] = [];
  const missing = Object.entries(hooks).filter(([event, groups]) => {
    const list = findNodeAtLocation(existing, [event]);
    if (list === undefined) return true;
    const children = groups.map((group) => ({ key: null, value: group }));
    insertions.push(appendChildren(text, list, children));
    return false;
  });
  if (missing.length > 0) {
    const children = missing.map(([key, value]) => ({ key, value }));
    insertions.push(appendChildren(text, existing, children));
  }
  return applyInsertions(text, insertions);
}

/**
 * Removes the hooks of swarmlens from settings, with the groups and lists that become empty.
 * @throws SettingsTextError
 */
export function removeHooks(text: string): string {
  let remaining = text;
  for (;;) {
    const handler = findOwnHandler(parseSettings(remaining).root);
    if (handler === null) return remaining;
    remaining = removeChild(remaining, emptiedBy(handler));
  }
}

/** Returns whether settings contain nothing. */
export function isEmptySettings(text: string): boolean {
  return (parseSettings(text).root.children ?? []).length === 0;
}

/** Returns the first own handler. */
function findOwnHandler(root: Node): Node | null {
  for (const event of findNodeAtLocation(root, [HOOKS_KEY])?.children ?? []) {
    for (const group of event.children?.[1]?.children ?? []) {
      for (const handler of handlerNodes(group)) if (isOwnHandler(toHandler(handler))) return handler;
    }
  }
  return null;
}

/** Returns the outermost part of the settings that contains nothing but a handler: its group, its event or all hooks. */
function emptiedBy(handler: Node): Node {
  const group = handler.parent?.parent?.parent;
  if (group === undefined || !isAlone(handler)) return handler;
  const event = group.parent?.parent;
  if (event === undefined || !isAlone(group)) return group;
  const hooks = event.parent?.parent;
  return hooks === undefined || !isAlone(event) ? event : hooks;
}

function isAlone({ parent }: Node): boolean {
  return parent?.children?.length === 1;
}

function handlerNodes(group: Node): readonly Node[] {
  if (group.type !== 'object') return [];
  const list = findNodeAtLocation(group, [HOOKS_KEY]);
  return list?.type === 'array' ? (list.children ?? []) : [];
}

/** Returns the members of a handler that identify it. */
function toHandler(handler: Node): unknown {
  if (handler.type !== 'object') return null;
  const valueOf = (key: string): unknown => findNodeAtLocation(handler, [key])?.value;
  return { type: valueOf('type'), url: valueOf('url') };
}

function handlersOf(group: unknown): readonly unknown[] {
  const handlers = isTable(group) ? group[HOOKS_KEY] : null;
  return Array.isArray(handlers) ? handlers : [];
}

interface ParsedSettings {
  readonly root: Node;
  readonly events: Readonly<Record<string, readonly unknown[]>>;
}

/** @throws SettingsTextError if the settings are not JSON, or their hooks have another shape */
function parseSettings(text: string): ParsedSettings {
  const { value, duplicates } = parseJson(text);
  if (!isTable(value)) throw new SettingsTextError(`is no JSON object – correct it, ${MANUAL_ADVICE}`);
  const duplicate = duplicates.find(([key]) => key === HOOKS_KEY);
  if (duplicate !== undefined) {
    throw new SettingsTextError(`has the key "${duplicate.join('.')}" twice – remove one, ${MANUAL_ADVICE}`);
  }
  const events = value[HOOKS_KEY] ?? {};
  if (value[HOOKS_KEY] === null || !isTable(events)) {
    throw new SettingsTextError(`has a key "${HOOKS_KEY}" that is no object – correct it, ${MANUAL_ADVICE}`);
  }
  const lists = Object.entries(events).map(([event, groups]): readonly [string, readonly unknown[]] => {
    if (Array.isArray(groups)) return [event, groups];
    throw new SettingsTextError(`has a key "${HOOKS_KEY}.${event}" that is no list – correct it, ${MANUAL_ADVICE}`);
  });
  const root = parseTree(text);
  if (root === undefined) throw new SettingsTextError('is empty');
  return { root, events: Object.fromEntries(lists) };
}

function parseJson(text: string) {
  let document;
  try {
    document = parseDocument(text, 'settings.json');
  } catch (error) {
    if (!(error instanceof DocumentSyntaxError)) throw error;
    throw new SettingsTextError(`${error.message} – correct it, ${MANUAL_ADVICE}`);
  }
  try {
    JSON.parse(text);
  } catch {
    // The parser above accepts these extensions of JSON.
    throw new SettingsTextError(
      `contains comments or trailing commas, which JSON does not allow – remove them, ${MANUAL_ADVICE}`,
    );
  }
  return document;
}
