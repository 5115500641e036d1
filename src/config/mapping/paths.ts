import { z } from 'zod';
import type { EntryPath, FieldSource, Template, ValuePath } from '../../adapters/index.js';

/** Longest path or template in characters. */
const MAX_LENGTH = 1_000;
const MAX_KEYS = 32;
const MAX_PLACEHOLDERS = 16;

export const PATH_HINT =
  'expected a path: names joined by dots ("result.agents"), a JSON Pointer ("/result/agents"), or ""';
export const SINGLE_PATH_HINT =
  'expected a path without "*": names joined by dots ("result.next"), a JSON Pointer ("/result/next"), or ""';
export const TEMPLATE_HINT =
  'expected a text with paths in braces ("{$parent.id}/{id}"), in which "{{" and "}}" stand for braces';

/** Names that a join cannot have. */
export const RESERVED_NAMES: readonly string[] = ['key', 'parent', 'root', 'detail'];

/** Returns the keys of a JSON Pointer (RFC 6901). Null if it is invalid. */
function pointerKeys(text: string): readonly string[] | null {
  const keys = text.slice(1).split('/');
  if (keys.some((key) => /~(?![01])/.test(key))) return null;
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Returns the keys of a dotted path. Null if it looks like JSONPath. A JSON Pointer can address `$` and brackets. */
function dottedKeys(text: string): readonly (string | null)[] | null {
  if (text === '') return [];
  const keys = text.split('.');
  if (keys.some((key) => key === '' || /[[\]$]/.test(key) || (key !== '*' && key.includes('*')))) return null;
  return keys.map((key) => (key === '*' ? null : key));
}

/** Parses the path of a value in an answer. Returns null if it is invalid. */
function parsePath(text: string): ValuePath | null {
  if (text.length > MAX_LENGTH) return null;
  const keys = text.startsWith('/') ? pointerKeys(text) : dottedKeys(text);
  return keys === null || keys.length > MAX_KEYS ? null : { text, keys };
}

function pathSchemaOf(hint: string, accepts: (path: ValuePath) => boolean): z.ZodType<ValuePath> {
  return z.string({ error: hint }).transform((text, context): ValuePath => {
    const path = parsePath(text);
    if (path !== null && accepts(path)) return path;
    context.issues.push({ code: 'custom', message: hint, input: text });
    return z.NEVER;
  });
}

/** Schema of the path of entries in an answer. */
export const pathSchema = pathSchemaOf(PATH_HINT, () => true);
/** Schema of the path of one value in an answer. */
export const singlePathSchema = pathSchemaOf(SINGLE_PATH_HINT, ({ keys }) => !keys.includes(null));

/** Parses a path that begins at an entry. Returns null if it is invalid. */
export function parseEntryPath(text: string): FieldSource | null {
  const pathSource = (path: EntryPath): FieldSource => ({ from: 'path', path, scale: 1 });
  if (!text.startsWith('$')) {
    const path = parsePath(text);
    return path === null ? null : pathSource(path);
  }
  const [start, rest] = splitStart(text);
  let up = 0;
  let base: EntryPath['base'] = 'entry';
  for (const [index, word] of start.entries()) {
    const name = word.slice(1);
    if (!/^[A-Za-z][\w-]*$/.test(name)) return null;
    if (name === 'key')
      return index === start.length - 1 && rest === '' && base === 'entry' ? { from: 'key', up } : null;
    if (base !== 'entry') return null;
    if (name === 'parent') up += 1;
    else if (up > 0) return null;
    else base = name === 'root' || name === 'detail' ? name : { join: name };
  }
  const path = parsePath(rest);
  return path === null ? null : pathSource({ text, keys: path.keys, base, up });
}

/** Splits a path into the names with a dollar sign and the rest. */
function splitStart(text: string): readonly [readonly string[], string] {
  const slash = text.indexOf('/');
  const head = slash === -1 ? text : text.slice(0, slash);
  const words = head.split('.');
  const end = words.findIndex((word) => !word.startsWith('$'));
  if (end === -1) return [words, slash === -1 ? '' : text.slice(slash)];
  return [words.slice(0, end), text.split('.').slice(end).join('.')];
}

/** Parses a text with placeholders. Returns null if it is invalid. */
export function parseTemplate(text: string): Template | null {
  if (text.length > MAX_LENGTH) return null;
  const parts: (string | FieldSource)[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    const character = text[at] ?? '';
    if ((character === '{' || character === '}') && text[at + 1] === character) {
      literal += character;
      at += 2;
    } else if (character === '{') {
      const end = text.indexOf('}', at);
      const source = end === -1 ? null : parseEntryPath(text.slice(at + 1, end));
      if (source === null) return null;
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(source);
      at = end + 1;
    } else if (character === '}') return null;
    else {
      literal += character;
      at += 1;
    }
  }
  if (literal !== '') parts.push(literal);
  return parts.filter((part) => typeof part !== 'string').length > MAX_PLACEHOLDERS ? null : { text, parts };
}
