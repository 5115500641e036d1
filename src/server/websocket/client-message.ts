import { MessageType, validateMessage } from 'graphql-ws';
import { z } from 'zod';

const CLIENT_TYPES: ReadonlySet<string> = new Set([
  MessageType.ConnectionInit,
  MessageType.Ping,
  MessageType.Pong,
  MessageType.Subscribe,
  MessageType.Complete,
]);
const SERVER_TYPES: ReadonlySet<string> = new Set([MessageType.ConnectionAck, MessageType.Next, MessageType.Error]);
/** Types whose payload may contain a token, which must not appear in a close reason or in the log. */
const FREE_PAYLOAD_TYPES: ReadonlySet<string> = new Set([
  MessageType.ConnectionInit,
  MessageType.Ping,
  MessageType.Pong,
]);
const MAX_QUOTED_LENGTH = 40;

const typedSchema = z.looseObject({ type: z.string() });

/** Message of a client, or the reason why it is invalid. The reason is a close reason of code 4400. */
export type ClientMessage =
  { readonly text: string; readonly problem: null } | { readonly text: null; readonly problem: string };

/** Checks a message against the `graphql-transport-ws` protocol, because graphql-ws does not name mistakes. */
export function parseClientMessage(bytes: Buffer, isBinary: boolean): ClientMessage {
  const text = bytes.toString('utf8');
  const problem = isBinary ? 'Binary messages are not supported; send JSON as text' : findProblem(text);
  return problem === null ? { text, problem } : { text: null, problem };
}

function findProblem(text: string): string | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return 'Message is not valid JSON';
  }
  const typed = typedSchema.safeParse(message);
  if (!typed.success) return 'Message has no string "type"';
  const { type } = typed.data;
  if (SERVER_TYPES.has(type)) return `Clients must not send messages of type "${type}"`;
  if (!CLIENT_TYPES.has(type)) return `Unknown message type ${JSON.stringify(type.slice(0, MAX_QUOTED_LENGTH))}`;
  try {
    validateMessage(typed.data);
    return null;
  } catch (error) {
    if (FREE_PAYLOAD_TYPES.has(type)) return `"payload" of "${type}" must be an object`;
    return error instanceof Error ? error.message : 'Invalid message';
  }
}
