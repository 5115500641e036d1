import { hashText } from '../input/hash-text.js';
import { parseIsoTime } from '../input/times.js';
import { toDetail, toName, type ShownText } from '../input/shown-text.js';
import { textAt } from '../input/json-fields.js';

/** Message between agents of a team, as the recipient received it. */
export interface TeamMessage {
  /** Name of the sender in the team. */
  readonly from: string;
  readonly sentAt: string | null;
  /** Kind of a message between programs, such as `idle_notification`. Null for text. */
  readonly kind: string | null;
  /** Hash of the text, by which a mailbox and a transcript are known to contain the same message. */
  readonly hash: number;
  readonly text: string | null;
}

const OPENING = '<teammate-message';
const CLOSING = '</teammate-message>';
const MAX_OPENING_LENGTH = 1_024;
const MAX_MESSAGES_PER_TEXT = 50;
const MAX_BODY_JSON_LENGTH = 10_000;
/** Kinds of messages between programs. Anything else may be text. */
const KIND = /^[a-z_]{1,40}$/;

/** Parses the messages in a text. */
export function parseTeammateMessages(
  text: string,
  receivedAt: string | null,
  shown: ShownText,
): readonly TeamMessage[] {
  const messages: TeamMessage[] = [];
  let position = text.indexOf(OPENING);
  while (position >= 0 && messages.length < MAX_MESSAGES_PER_TEXT) {
    const opening = text.slice(position, position + MAX_OPENING_LENGTH);
    const bodyStart = opening.indexOf('>');
    const from = /teammate_id="([^"]{1,200})"/.exec(opening)?.[1];
    if (bodyStart < 0 || from === undefined) break;
    const start = position + bodyStart + 1;
    const end = text.indexOf(CLOSING, start);
    messages.push(createTeamMessage(from, text.slice(start, end < 0 ? undefined : end), receivedAt, shown));
    position = end < 0 ? -1 : text.indexOf(OPENING, end);
  }
  return messages;
}

/** Creates a message. A text that is JSON contains the kind and the time of the message. */
export function createTeamMessage(from: string, body: string, sentAt: string | null, shown: ShownText): TeamMessage {
  const text = body.trim();
  const content = parseBody(text);
  const type = textAt(content, 'type') ?? '';
  const kind = KIND.test(type) ? type : null;
  return {
    from: toName(from) ?? 'unknown',
    sentAt: parseIsoTime(textAt(content, 'timestamp')) ?? sentAt,
    kind,
    hash: hashText(text),
    text: kind === null ? toDetail(text, shown) : null,
  };
}

function parseBody(text: string): unknown {
  if (!text.startsWith('{') || text.length > MAX_BODY_JSON_LENGTH) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
