import { z } from 'zod';
import { MCP_SERVER_TYPES, type Restriction, UNRESTRICTED } from '../model/index.js';
import { unauthenticatedError } from './bearer-token.js';
import { type Permission, PERMISSIONS } from './viewer.js';

/** Maximum length of a subject in characters. */
const MAX_SUBJECT_LENGTH = 256;

const scopesSchema = z.union([z.string().transform((text) => text.split(' ')), z.array(z.string())]);

const namesSchema = z.array(z.string()).nullish();

/** Claim `swarmlens`. Unknown keys are rejected, because ignoring a restriction would show too much. */
const restrictionSchema = z.strictObject({
  serverTypes: z.array(z.enum(MCP_SERVER_TYPES)).nullish(),
  servers: namesSchema,
  swarms: namesSchema,
  agentTypes: namesSchema,
  performance: z.boolean().nullish(),
  neural: z.boolean().nullish(),
});

/**
 * Parses the permissions from the claims of a token. Unknown scopes are ignored, because they may concern other services.
 * @param claim name of the claim; null for `scope` as in OAuth, or `permissions` if there is no `scope`
 * @throws SwarmlensError UNAUTHENTICATED if the claim has another type
 */
export function parsePermissions(claims: Readonly<Record<string, unknown>>, claim: string | null): Permission[] {
  const name = claim ?? ('scope' in claims ? 'scope' : 'permissions');
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (value === undefined) return [];
  const scopes = scopesSchema.safeParse(value);
  if (!scopes.success)
    throw unauthenticatedError(`Invalid claim "${name}" in the token. It must be a string or a list of strings.`);
  return PERMISSIONS.filter((permission) => scopes.data.includes(permission));
}

/** Parses the restriction in the claim `swarmlens`. @throws SwarmlensError UNAUTHENTICATED if the claim is invalid */
export function parseRestriction(claim: unknown): Restriction {
  if (claim === undefined) return UNRESTRICTED;
  const parsed = restrictionSchema.safeParse(claim);
  if (!parsed.success) {
    throw unauthenticatedError(
      'Invalid claim "swarmlens" in the token. Allowed keys: serverTypes, servers, swarms, agentTypes, performance, neural.',
    );
  }
  const { serverTypes, servers, swarms, agentTypes, performance, neural } = parsed.data;
  return {
    serverIds: servers ?? null,
    serverTypes: serverTypes ?? null,
    agentTypes: agentTypes?.map((type) => type.toLowerCase()) ?? null,
    swarmIds: swarms ?? null,
    performance: performance ?? true,
    neural: neural ?? true,
  };
}

/**
 * Parses the subject of a token. Tokens without a subject share one subject and its limits.
 * @throws SwarmlensError UNAUTHENTICATED if the subject is invalid
 */
export function parseSubject(sub: unknown): string {
  if (sub === undefined) return 'jwt';
  if (typeof sub !== 'string') throw unauthenticatedError('Invalid claim "sub" in the token. It must be a string.');
  if (sub.length > MAX_SUBJECT_LENGTH)
    throw unauthenticatedError(`Invalid claim "sub" in the token. It has more than ${MAX_SUBJECT_LENGTH} characters.`);
  return `jwt:${sub}`;
}
