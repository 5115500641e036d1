import { type JSONRPCMessage, parseJSONRPCMessage } from '@modelcontextprotocol/client';

/** First of the JSON-RPC error codes that servers may define. */
const SERVER_ERROR = -32000;
/**
 * Maximum number of members of a message, and of each object that the official client checks member by member. It checks them
 * several times, which takes seconds for a million.
 */
const MAX_MEMBERS = 1_000;

/**
 * Converts parsed JSON to a message of the official client.
 * @throws Error if it is not a JSON-RPC message, or has too many members
 */
export function parseMessage(value: unknown): JSONRPCMessage {
  if (!isObject(value)) throw new Error('The message is not an object.');
  for (const part of checkedParts(value)) {
    if (isObject(part) && hasTooManyMembers(part)) {
      throw new Error(`A part of the message has more than ${MAX_MEMBERS} members.`);
    }
  }
  return parseJSONRPCMessage(normalizeError(value));
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Returns the parts of a message that the official client checks member by member. */
function* checkedParts(message: JsonObject): Generator<unknown, void> {
  yield message;
  for (const part of [message['params'], message['result'], message['error']]) {
    yield part;
    if (!isObject(part)) continue;
    yield part['_meta'];
    yield part['capabilities'];
    yield part['serverInfo'];
    if (isObject(part['capabilities'])) yield* Object.values(part['capabilities']);
  }
}

function hasTooManyMembers(object: JsonObject): boolean {
  let count = 0;
  for (const _name in object) {
    count += 1;
    if (count > MAX_MEMBERS) return true;
  }
  return false;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Normalizes errors without a request. JSON-RPC gives them the id `null`, MCP no id. One bridge rejects clients with
 * `{"error":"reason"}` and nothing else.
 */
function normalizeError(message: JsonObject): unknown {
  if (typeof message['error'] === 'string' && Object.keys(message).length === 1) {
    return { jsonrpc: '2.0', error: { code: SERVER_ERROR, message: message['error'] } };
  }
  if (message['id'] !== null) return message;
  const { id: _id, ...rest } = message;
  return rest;
}
