import { z } from 'zod';

/** What a server wants to be treated like, as far as its greeting tells. */
export interface ServerQuirks {
  /** Methods of its own stand where others have tools; its own list of tools, if it has one, names its agents. */
  readonly usesCustomMethods: boolean;
  /** What arrives together over a stream may be refused. */
  readonly needsSerialRequests: boolean;
  /** Its errors do not say which request they answer, and it says nothing else unasked that is an error. */
  readonly omitsErrorIds: boolean;
  readonly acceptsNotifications: boolean;
  /** It does not say what it can do. */
  readonly omitsCapabilities: boolean;
}

export const NO_QUIRKS: ServerQuirks = {
  usesCustomMethods: false,
  needsSerialRequests: false,
  omitsErrorIds: false,
  acceptsNotifications: true,
  omitsCapabilities: false,
};

/** VisionFlow's gateway: a chunk is a message, and one that it cannot read is refused without an id. */
export const GATEWAY_QUIRKS: ServerQuirks = {
  usesCustomMethods: true,
  needsSerialRequests: true,
  omitsErrorIds: true,
  acceptsNotifications: false,
  omitsCapabilities: false,
};

/** Of the gateway, those that a person may want to call. */
export const GATEWAY_METHODS: readonly string[] = ['agent/list', 'agent/register'];

/** Made what the official client takes: of the gateway's capabilities, one is `true` that should be an object. */
export function normalizeCapabilities(capabilities: unknown): unknown {
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
export function detectQuirks(greeting: unknown): ServerQuirks {
  const { data } = GREETING.safeParse(greeting);
  const name = data?.serverInfo?.name ?? '';
  if (data?.capabilities?.experimental?.agentEvents === true || /^mcp-gateway\b/.test(name)) return GATEWAY_QUIRKS;
  // The DAA project's server: one at a time, so that its errors can be told apart.
  if (/^daa\b/i.test(name))
    return { ...NO_QUIRKS, needsSerialRequests: true, omitsErrorIds: true, acceptsNotifications: false };
  // A bridge. It may be the gateway, which shows when it is asked for its tools; no bridge needs notifications.
  if (data !== undefined && data.capabilities == null) {
    return { ...NO_QUIRKS, needsSerialRequests: true, acceptsNotifications: false, omitsCapabilities: true };
  }
  return NO_QUIRKS;
}
