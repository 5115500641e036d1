import { z } from 'zod';
import { MCP_SERVER_TYPES } from '../domain/index.js';
import { SwarmlensError } from '../shared/index.js';
import { createView, switchesOf, type View } from './view.js';

/** Where a reader stands: what it has seen, and through which view. */
export interface Position {
  readonly revision: number;
  readonly view: View;
}

/**
 * A cursor is opaque to clients. It carries the view as well as the revision, because a client that comes back with
 * other filters must be told what entered and left its view, not only what changed.
 */
export function encodeCursor(epoch: string, position: Position): string {
  return Buffer.from(`[${VERSION},${JSON.stringify(epoch)},${position.revision},${viewText(position.view)}]`).toString(
    'base64url',
  );
}

const viewTexts = new WeakMap<View, string>();

/** A view is told with every update. */
function viewText(view: View): string {
  let text = viewTexts.get(view);
  if (text === undefined) {
    const lists = [view.serverIds, view.serverTypes, view.agentTypes, view.swarmIds].map(list);
    viewTexts.set(view, (text = JSON.stringify([switchesOf(view), ...lists]).slice(1, -1)));
  }
  return text;
}

/**
 * @returns the position, or `null` when the cursor is of another store, be it an earlier life of this one or what somebody else sees: start with a snapshot
 * @throws SwarmlensError BAD_USER_INPUT when it is no cursor at all
 */
export function decodeCursor(epoch: string, cursor: string): Position | null {
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
  const [, cursorEpoch, revision, switches, serverIds, serverTypes, agentTypes, swarmIds] = parsed.data;
  if (cursorEpoch !== epoch) return null;
  const view = createView({
    serverIds,
    serverTypes,
    agentTypes,
    swarmIds,
    includePerformance: (switches & 1) !== 0,
    includeNeural: (switches & 2) !== 0,
    includeTopology: (switches & 4) !== 0,
  });
  return { revision, view };
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
