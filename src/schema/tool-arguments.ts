import { hasControlCharacters, PROTOTYPE_KEYS } from '../shared/sanitize/index.js';
import { argumentError } from './arguments.js';

/** Maximum nesting of arrays and objects. */
const MAX_DEPTH = 32;
/** Maximum number of values, nested ones included. */
const MAX_VALUES = 10_000;
/** Maximum length of one string in UTF-16 units. */
const MAX_TEXT_LENGTH = 65_536;
const MAX_NAME_LENGTH = 256;

/**
 * Validates the arguments of a tool call: a JSON object within size limits, without control characters and prototype keys.
 * @throws SwarmlensError BAD_USER_INPUT naming the argument
 */
export function parseToolArguments(argument: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value == null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw argumentError(argument, 'must be an object');
  check(argument, value);
  return { ...value };
}

function check(argument: string, root: unknown): void {
  let values = 0;
  const visit = (value: unknown, depth: number): void => {
    values += 1;
    if (values > MAX_VALUES) throw argumentError(argument, `contains more than ${MAX_VALUES} values`);
    if (typeof value === 'string') checkText(argument, value);
    if (typeof value !== 'object' || value === null) return;
    if (depth === MAX_DEPTH) throw argumentError(argument, `is nested deeper than ${MAX_DEPTH} levels`);
    if (Array.isArray(value)) for (const entry of value) visit(entry, depth + 1);
    else {
      for (const [name, entry] of Object.entries(value)) {
        checkField(argument, name);
        visit(entry, depth + 1);
      }
    }
  };
  visit(root, 0);
}

function checkText(argument: string, text: string): void {
  if (text.length > MAX_TEXT_LENGTH)
    throw argumentError(argument, `contains a string of more than ${MAX_TEXT_LENGTH} characters`);
  // Windows line endings are allowed.
  if (hasControlCharacters(text.replaceAll('\r\n', '\n')))
    throw argumentError(argument, 'contains a string with control characters');
}

function checkField(argument: string, name: string): void {
  if (PROTOTYPE_KEYS.has(name)) throw argumentError(argument, `contains the field "${name}", which is not allowed`);
  if (name.length > MAX_NAME_LENGTH) {
    throw argumentError(argument, `contains a field name of more than ${MAX_NAME_LENGTH} characters`);
  }
  if (hasControlCharacters(name)) throw argumentError(argument, 'contains a field name with control characters');
}
