import { z } from 'zod';
import { MCP_SERVER_TYPES } from '../model/index.js';
import { SwarmlensError } from '../shared/index.js';
import type { TimeBounds } from './revision-timeline.js';
import { createView, includeMask, type View } from './view.js';

/** Where a reader stands: what it has seen, and through which view. */
export interface CursorPosition {
  readonly revision: number;
  readonly view: View;
  /** It has read another node's picture, which held all of this one at the revision, and perhaps some of what came later. */
  readonly isFromOtherNode?: true;
}

/**
 * A cursor is opaque to clients. It carries the view as well as the revision, because a client that comes back with
 * other filters must be told what entered and left its view, not only what changed.
 * @param span what the picture is made of, so that another node can take the reader over; `null`: none can
 */
export function encodeCursor(epoch: string, position: CursorPosition, span: TimeBounds | null = null): string {
  const place = `${VERSION},${JSON.stringify(epoch)},${position.revision},${viewText(position.view)}`;
  const text = span === null ? `[${place}]` : `[${place},${span.completeUntilMs},${span.newestMs}]`;
  return Buffer.from(text).toString('base64url');
}

const viewTexts = new WeakMap<View, string>();

/** A view is told with every update. */
function viewText(view: View): string {
  let text = viewTexts.get(view);
  if (text === undefined) {
    const lists = [view.serverIds, view.serverTypes, view.agentTypes, view.swarmIds].map(list);
    viewTexts.set(view, (text = JSON.stringify([includeMask(view), ...lists]).slice(1, -1)));
  }
  return text;
}

/** What a cursor says. */
export interface DecodedCursor {
  readonly epoch: string;
  readonly position: CursorPosition;
  readonly bounds: TimeBounds | null;
}

/** @throws SwarmlensError BAD_USER_INPUT when it is no cursor at all */
export function decodeCursor(cursor: string): DecodedCursor {
  const parsed = CURSOR.safeParse(parseJson(cursor));
  if (!parsed.success) {
    throw new SwarmlensError(
      'BAD_USER_INPUT',
      'Argument "after" is not a cursor: pass an AgentUpdate.cursor unchanged.',
      {
        argument: 'after',
      },
    );
  }
  const [, epoch, revision, switches, serverIds, serverTypes, agentTypes, swarmIds, fromMs, toMs] = parsed.data;
  const view = createView({
    serverIds,
    serverTypes,
    agentTypes,
    swarmIds,
    includePerformance: (switches & 1) !== 0,
    includeNeural: (switches & 2) !== 0,
    includeTopology: (switches & 4) !== 0,
  });
  const span = fromMs === undefined || toMs === undefined ? null : { completeUntilMs: fromMs, newestMs: toMs };
  return { epoch, position: { revision, view }, bounds: span };
}

const VERSION = 1;

const STRINGS = z.array(z.string()).nullable();

const CURSOR = z.tuple([
  z.literal(VERSION),
  z.string(),
  z.int().min(0),
  z.int().min(0).max(7),
  STRINGS,
  z.array(z.enum(MCP_SERVER_TYPES)).nullable(),
  STRINGS,
  STRINGS,
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
