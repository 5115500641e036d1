import { z } from 'zod';

/** Deviations of a server from MCP, detected in its `initialize` result. */
export interface ServerQuirks {
  /** Whether the server offers custom methods instead of tools. Its tool list, if any, names its agents. */
  readonly usesCustomMethods: boolean;
  /** Whether the server may reject messages that arrive together over a stream. */
  readonly needsSerialRequests: boolean;
  /** Whether errors lack the id of their request. Such a server sends errors in response to requests only. */
  readonly omitsErrorIds: boolean;
  /** Whether the server tolerates notifications. */
  readonly acceptsNotifications: boolean;
  /** Whether the `initialize` result lacks `capabilities`. */
  readonly omitsCapabilities: boolean;
}

export const NO_QUIRKS: ServerQuirks = {
  usesCustomMethods: false,
  needsSerialRequests: false,
  omitsErrorIds: false,
  acceptsNotifications: true,
  omitsCapabilities: false,
};

/** Quirks of VisionFlow's gateway, which parses each chunk as one message and rejects invalid ones without an id. */
export const GATEWAY_QUIRKS: ServerQuirks = {
  usesCustomMethods: true,
  needsSerialRequests: true,
  omitsErrorIds: true,
  acceptsNotifications: false,
  omitsCapabilities: false,
};

/** Methods of the gateway that are offered as tools. */
export const GATEWAY_METHODS: readonly string[] = ['agent/list', 'agent/register'];

/**
 * Converts capabilities into a form that the official client accepts. In the gateway's capabilities, one value is `true`
 * instead of an object.
 */
export function normalizeCapabilities(capabilities: unknown): unknown {
  if (capabilities == null) return { tools: {} };
  const { success, data } = capabilitiesSchema.safeParse(capabilities);
  if (!success) return capabilities;
  const names = Object.entries(data.experimental).filter(([, value]) => value !== false);
  const experimental = names.map(([name, value]) => [name, typeof value === 'object' ? value : {}] as const);
  return { ...data, experimental: Object.fromEntries(experimental) };
}

const capabilitiesSchema = z.looseObject({ experimental: z.record(z.string(), z.unknown()) });
const initializeResultSchema = z.looseObject({
  serverInfo: z.looseObject({ name: z.string() }).optional().catch(undefined),
  capabilities: z
    .looseObject({ experimental: z.looseObject({ agentEvents: z.unknown() }).optional().catch(undefined) })
    .nullish(),
});

/** Detects the quirks of a server from its `initialize` result. */
export function detectQuirks(initializeResult: unknown): ServerQuirks {
  const { data } = initializeResultSchema.safeParse(initializeResult);
  const name = data?.serverInfo?.name ?? '';
  if (data?.capabilities?.experimental?.agentEvents === true || /^mcp-gateway\b/.test(name)) return GATEWAY_QUIRKS;
  // With one request at a time, an error without an id can be attributed to its request.
  if (/^daa\b/i.test(name))
    return { ...NO_QUIRKS, needsSerialRequests: true, omitsErrorIds: true, acceptsNotifications: false };
  // A bridge, or the gateway, which is recognized by its response to `tools/list`. No bridge needs notifications.
  if (data !== undefined && data.capabilities == null) {
    return { ...NO_QUIRKS, needsSerialRequests: true, acceptsNotifications: false, omitsCapabilities: true };
  }
  return NO_QUIRKS;
}
