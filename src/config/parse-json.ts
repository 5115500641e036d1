/** Text that is no JSON; the message says where and why, and quotes no more than one character of it. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonError';
}

/**
 * JSON with or without a byte order mark, which editors on Windows write.
 * @throws JsonError
 */
export function parseJson(text: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(json);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const before = json.slice(0, positionOf(message, json)).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    throw new JsonSyntaxError(`line ${before.length}, column ${column}: ${reasonOf(message)}`);
  }
}

/** The engine's message without the piece of the text that it quotes, which may hold a secret. */
function reasonOf(message: string): string {
  const token = /^Unexpected token '.'/su.exec(message);
  if (token !== null) return token[0];
  if (message.includes('is not valid JSON')) return 'it cannot be parsed';
  return message.replace(/ (in JSON )?at position.*$/s, '');
}

function positionOf(message: string, json: string): number {
  const named = / at position (\d+)/.exec(message)?.[1];
  if (named !== undefined) return Number(named);
  if (!isUnexpectedToken(message)) return json.length;
  // The engine does not say where. Texts that end before the token are merely unfinished.
  let [unfinished, wrong] = [0, json.length];
  while (wrong - unfinished > 1) {
    const middle = Math.floor((unfinished + wrong) / 2);
    if (isUnexpectedToken(messageFor(json.slice(0, middle)))) wrong = middle;
    else unfinished = middle;
  }
  return unfinished;
}

function isUnexpectedToken(message: string): boolean {
  return message.startsWith('Unexpected token');
}

function messageFor(json: string): string {
  try {
    JSON.parse(json);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}
