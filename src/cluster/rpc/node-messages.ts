import { z } from 'zod';

/** First of each message: one of another version is not read. */
export const NODE_MESSAGE_VERSION = 1;

const ID = z.string().min(1).max(256);
const VERSIONED = z.literal(NODE_MESSAGE_VERSION);

/** To all nodes: who watches a server from now on, or that nobody does. */
const NEWS = z.union([
  z.tuple([VERSIONED, z.literal('held'), ID, ID, z.number()]),
  z.tuple([VERSIONED, z.literal('free'), ID, ID, z.boolean()]),
]);

const REQUEST_ID = z.number().int();

/** `null`: something broke that is nobody's to see. */
const REFUSAL_CODE = z.enum(['BAD_USER_INPUT', 'FORBIDDEN', 'SERVER_UNAVAILABLE', 'LIMIT_EXCEEDED']).nullable();

/** To one node. */
const LETTER = z.union([
  z.tuple([VERSIONED, z.literal('want'), ID, ID, z.number().min(0).max(1_000)]),
  z.tuple([VERSIONED, z.literal('poll'), ID, REQUEST_ID, ID, z.boolean()]),
  z.tuple([VERSIONED, z.literal('tool'), ID, REQUEST_ID, ID, z.string(), z.record(z.string(), z.unknown())]),
  z.tuple([VERSIONED, z.literal('abort'), ID, REQUEST_ID]),
  z.tuple([VERSIONED, z.literal('answer'), REQUEST_ID, z.unknown()]),
  z.tuple([VERSIONED, z.literal('refusal'), REQUEST_ID, REFUSAL_CODE, z.string(), z.record(z.string(), z.unknown())]),
]);

/**
 * `held`, server, node, term: that node watches it from now on.
 * `free`, server, node, leaves: that node does so no longer; whether it would ever again.
 */
export type LeaseAnnouncement = z.infer<typeof NEWS>;

/**
 * `want`, node, server, Hz: what clients of that node want.
 * `poll`, node, number, server, reconnects; `tool`, node, number, server, tool, arguments: requests of that node.
 * `abort`, node, number: it does not wait for that one any more.
 * `answer`, number, what; `refusal`, number, code, message, details: to a request of the node that this is sent to.
 */
export type NodeMessage = z.infer<typeof LETTER>;

/** `null`: it is none. */
export function parseLeaseAnnouncement(message: unknown): LeaseAnnouncement | null {
  return NEWS.safeParse(message).data ?? null;
}

/** `null`: it is none. */
export function parseNodeMessage(message: unknown): NodeMessage | null {
  return LETTER.safeParse(message).data ?? null;
}
