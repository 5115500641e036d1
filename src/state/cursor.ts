import { z } from 'zod';
import { MCP_SERVER_TYPES } from '../model/index.js';
import { SwarmlensError } from '../shared/index.js';
import type { TimeBounds } from './revision-timeline.js';
import { createView, includeMask, type View } from './view.js';

/** Position of a reader: the revision it has received, and its view at that revision. */
export interface CursorPosition {
  readonly revision: number;
  readonly view: View;
  /** Whether the reader read from another node, which had everything up to the revision and perhaps later changes. */
  readonly isFromOtherNode?: true;
}

/**
 * Encodes a position as an opaque cursor. The cursor contains the view, because a client that resumes with other filters
 * also receives what entered and left its view.
 * @param bounds time bounds of the state, with which another node can resume the reader. Null if no other node can
 */
export function encodeCursor(epoch: string, position: CursorPosition, bounds: TimeBounds | null = null): string {
  const content = `${VERSION},${JSON.stringify(epoch)},${position.revision},${encodeView(position.view)}`;
  const text = bounds === null ? `[${content}]` : `[${content},${bounds.completeUntilMs},${bounds.newestMs}]`;
  return Buffer.from(text).toString('base64url');
}

const viewTexts = new WeakMap<View, string>();

/** Encodes a view. Caches the text, because every update contains it. */
function encodeView(view: View): string {
  let text = viewTexts.get(view);
  if (text === undefined) {
    const lists = [view.serverIds, view.serverTypes, view.agentTypes, view.swarmIds].map(list);
    viewTexts.set(view, (text = JSON.stringify([includeMask(view), ...lists]).slice(1, -1)));
  }
  return text;
}

/** Content of a cursor. */
export interface DecodedCursor {
  readonly epoch: string;
  readonly position: CursorPosition;
  readonly bounds: TimeBounds | null;
}

/** @throws SwarmlensError BAD_USER_INPUT if the text is not a cursor */
export function decodeCursor(cursor: string): DecodedCursor {
  const parsed = cursorSchema.safeParse(parseJson(cursor));
  if (!parsed.success) {
    throw new SwarmlensError(
      'BAD_USER_INPUT',
      'Invalid cursor in argument "after". Pass an AgentUpdate.cursor unchanged.',
      {
        argument: 'after',
      },
    );
  }
  const [, epoch, revision, mask, serverIds, serverTypes, agentTypes, swarmIds, completeUntilMs, newestMs] =
    parsed.data;
  const view = createView({
    serverIds,
    serverTypes,
    agentTypes,
    swarmIds,
    includePerformance: (mask & 1) !== 0,
    includeNeural: (mask & 2) !== 0,
    includeTopology: (mask & 4) !== 0,
  });
  const bounds = completeUntilMs === undefined || newestMs === undefined ? null : { completeUntilMs, newestMs };
  return { epoch, position: { revision, view }, bounds };
}

const VERSION = 1;

const textListSchema = z.array(z.string()).nullable();

const cursorSchema = z.tuple([
  z.literal(VERSION),
  z.string(),
  z.int().min(0),
  z.int().min(0).max(7),
  textListSchema,
  z.array(z.enum(MCP_SERVER_TYPES)).nullable(),
  textListSchema,
  textListSchema,
  z.number().optional(),
  z.number().optional(),
]);

function list(values: ReadonlySet<string> | null): readonly string[] | null {
  return values && [...values];
}

function parseJson(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
