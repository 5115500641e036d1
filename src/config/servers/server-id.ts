import { isServerName } from '../../model/index.js';

/** Maximum length of an id that is made from a name. Leaves space for a number. */
const MAX_DERIVED_ID_LENGTH = 58;

/** Returns a name if it can be an id, or else an id made from it that is not one of `taken`. */
export function toServerId(name: string, taken: ReadonlySet<string>): string {
  return isServerName(name) ? name : deriveServerId(name, taken);
}

/** Returns an id made from a name that is not one of `taken`. */
export function deriveServerId(name: string, taken: ReadonlySet<string>): string {
  const base = name.replace(/[:\p{Cc}]/gu, '-').slice(0, MAX_DERIVED_ID_LENGTH) || 'server';
  let id = base;
  for (let count = 2; taken.has(id); count += 1) id = `${base}-${count}`;
  return id;
}
