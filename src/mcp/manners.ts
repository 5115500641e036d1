import { z } from 'zod';

/** What a server wants to be treated like, as far as its greeting tells. */
export interface Manners {
  /** Methods of its own stand where others have tools; its own list of tools, if it has one, names its agents. */
  readonly hasOwnMethods: boolean;
  /** What arrives together over a stream may be refused. */
  readonly oneAtATime: boolean;
  /** Its errors do not say which request they answer, and it says nothing else unasked that is an error. */
  readonly errorsLackIds: boolean;
  readonly takesNotifications: boolean;
  /** It does not say what it can do. */
  readonly saysNothing: boolean;
}

export const ORDINARY: Manners = {
  hasOwnMethods: false,
  oneAtATime: false,
  errorsLackIds: false,
  takesNotifications: true,
  saysNothing: false,
};

/** VisionFlow's gateway: a chunk is a message, and one that it cannot read is refused without an id. */
export const GATEWAY: Manners = {
  hasOwnMethods: true,
  oneAtATime: true,
  errorsLackIds: true,
  takesNotifications: false,
  saysNothing: false,
};

/** Of the gateway, those that a person may want to call. */
export const OWN_METHODS: readonly string[] = ['agent/list', 'agent/register'];

/** Made what the official client takes: of the gateway's capabilities, one is `true` that should be an object. */
export function readableCapabilities(capabilities: unknown): unknown {
  if (capabilities == null) return { tools: {} };
  const { success, data } = CAPABILITIES.safeParse(capabilities);
  if (!success) return capabilities;
  const names = Object.entries(data.experimental).filter(([, value]) => value !== false);
  const experimental = names.map(([name, value]) => [name, typeof value === 'object' ? value : {}] as const);
  return { ...data, experimental: Object.fromEntries(experimental) };
}

const CAPABILITIES = z.looseObject({ experimental: z.record(z.string(), z.unknown()) });
const GREETING = z.looseObject({
  serverInfo: z.looseObject({ name: z.string() }).optional().catch(undefined),
  capabilities: z
    .looseObject({ experimental: z.looseObject({ agentEvents: z.unknown() }).optional().catch(undefined) })
    .nullish(),
});

/** From the result of `initialize`. */
export function mannersOf(greeting: unknown): Manners {
  const { data } = GREETING.safeParse(greeting);
  const name = data?.serverInfo?.name ?? '';
  if (data?.capabilities?.experimental?.agentEvents === true || /^mcp-gateway\b/.test(name)) return GATEWAY;
  // The DAA project's server: one at a time, so that its errors can be told apart.
  if (/^daa\b/i.test(name)) return { ...ORDINARY, oneAtATime: true, errorsLackIds: true, takesNotifications: false };
  // A bridge. It may be the gateway, which shows when it is asked for its tools; no bridge needs notifications.
  if (data !== undefined && data.capabilities == null) {
    return { ...ORDINARY, oneAtATime: true, takesNotifications: false, saysNothing: true };
  }
  return ORDINARY;
}
