import { z } from 'zod';

/** Version at the start of each message. Messages of other versions are ignored. */
export const NODE_MESSAGE_VERSION = 1;

const idSchema = z.string().min(1).max(256);
const versionSchema = z.literal(NODE_MESSAGE_VERSION);

// Messages to all nodes about the owner of a server.
const leaseAnnouncementSchema = z.union([
  z.tuple([versionSchema, z.literal('held'), idSchema, idSchema, z.number()]),
  z.tuple([versionSchema, z.literal('free'), idSchema, idSchema, z.boolean()]),
]);

const requestIdSchema = z.number().int();

/** Codes of errors that a node passes on to the node of the client. */
export const FORWARDED_CODES = [
  'BAD_USER_INPUT',
  'FORBIDDEN',
  'SERVER_UNAVAILABLE',
  'LIMIT_EXCEEDED',
  'RATE_LIMITED',
] as const;

// Null stands for an unexpected error, whose details stay on its node.
const refusalCodeSchema = z.enum(FORWARDED_CODES).nullable();

// Messages to one node.
const nodeMessageSchema = z.union([
  z.tuple([versionSchema, z.literal('demand'), idSchema, idSchema, z.number().min(0).max(1_000)]),
  z.tuple([versionSchema, z.literal('poll'), idSchema, requestIdSchema, idSchema, z.boolean()]),
  z.tuple([
    versionSchema,
    z.literal('tool'),
    idSchema,
    requestIdSchema,
    idSchema,
    z.string(),
    z.record(z.string(), z.unknown()),
    z.string().max(1_024),
  ]),
  z.tuple([versionSchema, z.literal('abort'), idSchema, requestIdSchema]),
  z.tuple([versionSchema, z.literal('answer'), requestIdSchema, z.unknown()]),
  z.tuple([
    versionSchema,
    z.literal('refusal'),
    requestIdSchema,
    refusalCodeSchema,
    z.string(),
    z.record(z.string(), z.unknown()),
  ]),
]);

/**
 * Announcement to all nodes.
 * `held`, server, node, fencing token: the node owns the server from now on.
 * `free`, server, node, isLeaving: the node released the server; whether it also gave up its claim.
 */
export type LeaseAnnouncement = z.infer<typeof leaseAnnouncementSchema>;

/**
 * Message to one node.
 * `demand`, node, server, Hz: update rate that the clients of that node need.
 * `poll`, node, number, server, reconnects; `tool`, node, number, server, tool, arguments, client: requests
 * of that node.
 * `abort`, node, number: cancels the request of that node.
 * `answer`, number, result; `refusal`, number, code, message, details: answers to a request of the receiver.
 */
export type NodeMessage = z.infer<typeof nodeMessageSchema>;

/** Parses an announcement. Null if it is invalid. */
export function parseLeaseAnnouncement(message: unknown): LeaseAnnouncement | null {
  return leaseAnnouncementSchema.safeParse(message).data ?? null;
}

/** Parses a message to this node. Null if it is invalid. */
export function parseNodeMessage(message: unknown): NodeMessage | null {
  return nodeMessageSchema.safeParse(message).data ?? null;
}
