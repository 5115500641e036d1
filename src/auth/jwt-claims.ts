import { z } from 'zod';
import { MCP_SERVER_TYPES, type Restriction, UNRESTRICTED } from '../model/index.js';
import { unauthenticatedError } from './bearer-token.js';
import { type Permission, PERMISSIONS } from './viewer.js';

/** Characters; longer ones are no names. */
const MAX_SUBJECT_LENGTH = 256;

const SCOPES = z.union([z.string().transform((text) => text.split(' ')), z.array(z.string())]);

const NAMES = z.array(z.string()).nullish();

/** The claim `swarmlens`. An unknown key is a mistake: a restriction that is not understood would let see too much. */
const RESTRICTION = z.strictObject({
  serverTypes: z.array(z.enum(MCP_SERVER_TYPES)).nullish(),
  servers: NAMES,
  swarms: NAMES,
  agentTypes: NAMES,
  performance: z.boolean().nullish(),
  neural: z.boolean().nullish(),
});

/**
 * The permissions that a token's claims give; scopes that are none of ours are for others.
 * @param claim where they stand; `null`: in `scope`, as OAuth has it, or else in `permissions`
 * @throws SwarmlensError UNAUTHENTICATED
 */
export function parsePermissions(claims: Readonly<Record<string, unknown>>, claim: string | null): Permission[] {
  const name = claim ?? ('scope' in claims ? 'scope' : 'permissions');
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (value === undefined) return [];
  const scopes = SCOPES.safeParse(value);
  if (!scopes.success) throw unauthenticatedError(`The token's claim "${name}" is neither text nor a list of texts.`);
  return PERMISSIONS.filter((permission) => scopes.data.includes(permission));
}

/** @throws SwarmlensError UNAUTHENTICATED */
export function parseRestriction(claim: unknown): Restriction {
  if (claim === undefined) return UNRESTRICTED;
  const parsed = RESTRICTION.safeParse(claim);
  if (!parsed.success) {
    throw unauthenticatedError('The token\'s claim "swarmlens" is not understood, so nobody knows what it leaves out.');
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
 * Who a token is for. All tokens that do not say so are one, and share their limits.
 * @throws SwarmlensError UNAUTHENTICATED
 */
export function parseSubject(sub: unknown): string {
  if (sub === undefined) return 'jwt';
  if (typeof sub !== 'string') throw unauthenticatedError('The token\'s "sub" is not text.');
  if (sub.length > MAX_SUBJECT_LENGTH)
    throw unauthenticatedError(`The token's "sub" has more than ${MAX_SUBJECT_LENGTH} characters.`);
  return `jwt:${sub}`;
}
