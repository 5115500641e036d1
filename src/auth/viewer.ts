import { allowsAllAgents, type Restriction, UNRESTRICTED } from '../model/index.js';
import { SwarmlensError } from '../shared/index.js';

/** Operations that a viewer can be permitted. The restriction of a viewer limits the visible state instead. */
export const PERMISSIONS = ['agents:read', 'health:read', 'tools:call', 'servers:admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Caller of an operation. */
export interface Viewer {
  /**
   * Access scope. Equal for all viewers with the same permissions and restriction. Updates are shared within a scope and
   * never across scopes.
   */
  readonly scope: string;
  readonly restriction: Restriction;
  readonly permissions: ReadonlySet<Permission>;
  /** Identity for limits and logs, never the token. Null if no token is required. */
  readonly subject: string | null;
  /** Expiry of the token, in milliseconds since the epoch. Null if the token does not expire. */
  readonly expiresAtMs: number | null;
}

/** Viewer of all requests if no token is required. */
export const ANONYMOUS_VIEWER: Viewer = {
  scope: 'everyone',
  restriction: UNRESTRICTED,
  permissions: new Set(PERMISSIONS),
  subject: null,
  expiresAtMs: null,
};

/** Creates a viewer and derives its access scope from permissions and restriction. */
export function createViewer({
  subject,
  permissions,
  restriction,
  expiresAtMs,
}: {
  readonly subject: string;
  readonly permissions: readonly Permission[];
  readonly restriction: Restriction;
  readonly expiresAtMs: number | null;
}): Viewer {
  const allowed = {
    serverIds: sorted(restriction.serverIds),
    serverTypes: sorted(restriction.serverTypes),
    agentTypes: sorted(restriction.agentTypes),
    swarmIds: sorted(restriction.swarmIds),
    performance: restriction.performance,
    neural: restriction.neural,
  };
  const scope = JSON.stringify([sorted(permissions), ...Object.values(allowed)]);
  return { scope, restriction: allowed, permissions: new Set(permissions), subject, expiresAtMs };
}

/** Checks a permission of a viewer. @throws SwarmlensError FORBIDDEN naming the missing permission */
export function requirePermission({ permissions }: Viewer, permission: Permission): void {
  if (permissions.has(permission)) return;
  throw new SwarmlensError('FORBIDDEN', `The token lacks the permission "${permission}".`, { permission });
}

/**
 * Checks that no server and no agent is hidden from a viewer.
 * @param reason sentence that explains why all of them are needed
 * @throws SwarmlensError FORBIDDEN
 */
export function requireFullAccess({ restriction }: Viewer, reason: string): void {
  if (!allowsAllAgents(restriction))
    throw new SwarmlensError('FORBIDDEN', `${reason} Use a token without a restriction.`);
}

function sorted<T extends string>(values: readonly T[] | null): readonly T[] | null {
  return values && [...new Set(values)].sort();
}
