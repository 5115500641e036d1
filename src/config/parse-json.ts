/** Thrown for invalid JSON. The message has line and column, and quotes at most one character of the text. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/**
 * Parses JSON, with or without the byte order mark that editors on Windows write.
 * @throws JsonSyntaxError
 */
export function parseJson(text: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(json);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const before = json.slice(0, findPosition(message, json)).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    throw new JsonSyntaxError(`line ${before.length}, column ${column}: ${toReason(message)}`);
  }
}

/** Removes the quoted text from a message of the engine, because it may contain a secret. */
function toReason(message: string): string {
  const token = /^Unexpected token '.'/su.exec(message);
  if (token !== null) return token[0];
  if (message.includes('is not valid JSON')) return 'cannot be parsed';
  return message.replace(/ (in JSON )?at position.*$/s, '');
}

function findPosition(message: string, json: string): number {
  const position = / at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  if (!isUnexpectedToken(message)) return json.length;
  // The message has no position. A prefix that ends before the token fails in another way, so that a search finds it.
  let [unfinished, invalid] = [0, json.length];
  while (invalid - unfinished > 1) {
    const middle = Math.floor((unfinished + invalid) / 2);
    if (isUnexpectedToken(parseError(json.slice(0, middle)))) invalid = middle;
    else unfinished = middle;
  }
  return unfinished;
}

function isUnexpectedToken(message: string): boolean {
  return message.startsWith('Unexpected token');
}

function parseError(json: string): string {
  try {
    JSON.parse(json);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}
