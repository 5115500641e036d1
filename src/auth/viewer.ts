import { type Restriction, UNRESTRICTED } from '../model/index.js';
import { SwarmlensError } from '../shared/index.js';

/** What somebody may do. What they may see of the picture is their restriction. */
export const PERMISSIONS = ['agents:read', 'health:read', 'tools:call', 'servers:admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Who asks, as far as it matters to what is answered. */
export interface Viewer {
  /** Equal for all who may see and do the same, whoever they are: what one of them is told may be told to all. */
  readonly scope: string;
  readonly restriction: Restriction;
  readonly permissions: ReadonlySet<Permission>;
  /** Who it is, for limits and logs; never the token. `null`: nobody had to say. */
  readonly subject: string | null;
  /** Milliseconds since the epoch, from which on it is nobody any more; `null`: it stays. */
  readonly expiresAtMs: number | null;
}

/** The viewer where there is no authentication. */
export const ANONYMOUS_VIEWER: Viewer = {
  scope: 'everyone',
  restriction: UNRESTRICTED,
  permissions: new Set(PERMISSIONS),
  subject: null,
  expiresAtMs: null,
};

/** A viewer whose scope is made of what it may see and do. */
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

/** @throws SwarmlensError FORBIDDEN naming the permission */
export function requirePermission({ permissions }: Viewer, permission: Permission): void {
  if (permissions.has(permission)) return;
  throw new SwarmlensError('FORBIDDEN', `This needs the permission "${permission}", which the token does not have.`, {
    permission,
  });
}

function sorted<T extends string>(values: readonly T[] | null): readonly T[] | null {
  return values && [...new Set(values)].sort();
}
