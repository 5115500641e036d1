import { z } from 'zod';
import { MCP_SERVER_TYPES } from '../model/index.js';
import { listOf, SwarmlensError, textListSchema } from '../shared/index.js';
import type { TimeBounds } from './revision-timeline.js';
import { referenceOf } from './view-references.js';
import { createView, includeMask, type View } from './view.js';

/** Position of a reader: the revision it has received, and its view at that revision. */
export interface CursorPosition {
  readonly revision: number;
  readonly view: View;
  /**
   * Node that issued the cursor with which the reader resumed. The reader has everything up to the revision and perhaps later
   * changes, because clients also resume with an older cursor. Absent if the reader has exactly the state at the revision.
   */
  readonly resumedFrom?: 'THIS_NODE' | 'OTHER_NODE';
}

/**
 * Encodes a position as an opaque cursor. The cursor identifies the view, because a client that resumes with other filters
 * also receives what entered and left its view.
 * @param bounds time bounds of the state, with which another node can resume the reader. Null if no other node can
 */
export function encodeCursor(epoch: string, position: CursorPosition, bounds: TimeBounds | null = null): string {
  const { view } = position;
  const content = `${VERSION},${JSON.stringify(epoch)},${position.revision},${encodeView(view)}`;
  const text = bounds === null ? `[${content}]` : `[${content},${bounds.completeUntilMs},${bounds.newestMs}]`;
  return Buffer.from(text).toString('base64url');
}

const viewTexts = new WeakMap<View, string>();

/** Encodes a view, or the reference of a long view. Caches the text, because every update contains it. */
function encodeView(view: View): string {
  let text = viewTexts.get(view);
  if (text === undefined) {
    const reference = referenceOf(view);
    text = JSON.stringify(reference === null ? viewFields(view) : [reference]).slice(1, -1);
    viewTexts.set(view, text);
  }
  return text;
}

/** Returns the fields of `agentViewSchema` or `taskViewSchema`. */
function viewFields(view: View): readonly unknown[] {
  const { subject, serverIds, serverTypes, agentTypes, swarmIds, agentIds } = view;
  const [head, ...filters] =
    subject === 'tasks'
      ? ([TASK_MARK, serverIds, serverTypes, swarmIds, agentIds] as const)
      : ([includeMask(view), serverIds, serverTypes, agentTypes, swarmIds] as const);
  return [head, ...filters.map(list)];
}

/** Content of a cursor. */
export interface DecodedCursor {
  readonly epoch: string;
  readonly revision: number;
  /** View, or the reference of a long view. */
  readonly view: View | string;
  readonly bounds: TimeBounds | null;
}

/** @throws SwarmlensError BAD_USER_INPUT if the text is not a cursor */
export function decodeCursor(cursor: string): DecodedCursor {
  const parsed = cursorSchema.safeParse(parseJson(cursor));
  if (!parsed.success) {
    throw new SwarmlensError(
      'BAD_USER_INPUT',
      'Invalid cursor in argument "after". Pass the cursor of an update unchanged.',
      {
        argument: 'after',
      },
    );
  }
  return parsed.data;
}

const VERSION = 1;

const headSchema = [z.literal(VERSION), z.string(), z.int().min(0)] as const;
const boundsSchema = [z.number().optional(), z.number().optional()] as const;
const idListSchema = textListSchema.nullable();
const typeListSchema = listOf(z.enum(MCP_SERVER_TYPES)).nullable();
const agentViewSchema = [z.int().min(0).max(7), idListSchema, typeListSchema, idListSchema, idListSchema] as const;
/** First field of a view of tasks, in the place of the included parts of a view of agents. */
const TASK_MARK = 8;
const taskViewSchema = [z.literal(TASK_MARK), idListSchema, typeListSchema, idListSchema, idListSchema] as const;

const cursorSchema = z.union([
  z
    .tuple([...headSchema, z.string(), ...boundsSchema])
    .transform(([, epoch, revision, view, ...bounds]): DecodedCursor => ({
      epoch,
      revision,
      view,
      bounds: toBounds(...bounds),
    })),
  z
    .tuple([...headSchema, ...agentViewSchema, ...boundsSchema])
    .transform(([, epoch, revision, mask, serverIds, serverTypes, agentTypes, swarmIds, ...bounds]): DecodedCursor => ({
      epoch,
      revision,
      view: createView({
        serverIds,
        serverTypes,
        agentTypes,
        swarmIds,
        includePerformance: (mask & 1) !== 0,
        includeNeural: (mask & 2) !== 0,
        includeTopology: (mask & 4) !== 0,
      }),
      bounds: toBounds(...bounds),
    })),
  z
    .tuple([...headSchema, ...taskViewSchema, ...boundsSchema])
    .transform(([, epoch, revision, , serverIds, serverTypes, swarmIds, agentIds, ...bounds]): DecodedCursor => ({
      epoch,
      revision,
      view: createView({ subject: 'tasks', serverIds, serverTypes, swarmIds, agentIds }),
      bounds: toBounds(...bounds),
    })),
]);

function toBounds(completeUntilMs: number | undefined, newestMs: number | undefined): TimeBounds | null {
  return completeUntilMs === undefined || newestMs === undefined ? null : { completeUntilMs, newestMs };
}

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
