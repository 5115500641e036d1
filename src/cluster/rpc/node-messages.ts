import { z } from 'zod';
import { MCP_SERVER_TYPES, type ToolCaller } from '../../model/index.js';
import { listOf, textListSchema } from '../../shared/index.js';

const idSchema = z.string().min(1).max(256);

// Messages to all nodes about the owner of a server.
const leaseAnnouncementSchema = z.union([
  z.tuple([z.literal('held'), idSchema, z.number()]),
  z.tuple([z.literal('free'), idSchema, z.boolean()]),
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

const namesSchema = textListSchema.nullable();

const callerSchema: z.ZodType<ToolCaller> = z.object({
  clientId: z.string().max(1_024),
  permissions: textListSchema,
  restriction: z.object({
    serverIds: namesSchema,
    serverTypes: listOf(z.enum(MCP_SERVER_TYPES)).nullable(),
    agentTypes: namesSchema,
    swarmIds: namesSchema,
    performance: z.boolean(),
    neural: z.boolean(),
  }),
});

// Messages to one node.
const nodeMessageSchema = z.union([
  z.tuple([z.literal('demand'), idSchema, z.number().min(0).max(1_000)]),
  z.tuple([z.literal('poll'), requestIdSchema, idSchema, z.boolean()]),
  z.tuple([z.literal('tool'), requestIdSchema, idSchema, z.string(), z.record(z.string(), z.unknown()), callerSchema]),
  z.tuple([z.literal('abort'), requestIdSchema]),
  z.tuple([z.literal('answer'), requestIdSchema, z.unknown()]),
  z.tuple([z.literal('refusal'), requestIdSchema, refusalCodeSchema, z.string(), z.record(z.string(), z.unknown())]),
]);

/**
 * Announcement of the sender to all nodes.
 * `held`, server, fencing token: the sender owns the server from now on.
 * `free`, server, isLeaving: the sender released the server; whether it also gave up its claim.
 */
export type LeaseAnnouncement = z.infer<typeof leaseAnnouncementSchema>;

/**
 * Message to one node.
 * `demand`, server, Hz: update rate that the clients of the sender need.
 * `poll`, number, server, reconnects; `tool`, number, server, tool, arguments, caller: requests of the sender.
 * `abort`, number: cancels the request of the sender.
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
