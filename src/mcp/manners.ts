import { z } from 'zod';

/** What a server wants to be treated like, as far as its greeting tells. */
export interface Manners {
  /** Methods of its own stand where others have tools; its own list of tools, if it has one, names its agents. */
  readonly hasOwnMethods: boolean;
  /** What arrives together over a stream is refused, or refused in a way that does not say which of them is. */
  readonly oneAtATime: boolean;
  readonly takesNotifications: boolean;
}

export const ORDINARY: Manners = { hasOwnMethods: false, oneAtATime: false, takesNotifications: true };

/** Of VisionFlow's gateway, those that a person may want to call. */
export const OWN_METHODS: readonly string[] = ['agent/list', 'agent/register'];

const GREETING = z.looseObject({
  serverInfo: z.looseObject({ name: z.string() }).optional().catch(undefined),
  capabilities: z
    .looseObject({ experimental: z.looseObject({ agentEvents: z.unknown() }).optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/** From the result of `initialize`. */
export function mannersOf(greeting: unknown): Manners {
  const { data } = GREETING.safeParse(greeting);
  const name = data?.serverInfo?.name ?? '';
  const agentEvents = data?.capabilities?.experimental?.agentEvents ?? false;
  if (agentEvents !== false || /^mcp-gateway\b/.test(name)) {
    return { hasOwnMethods: true, oneAtATime: true, takesNotifications: false };
  }
  // The DAA project's server answers notifications with errors, and no error of it says what it is about.
  if (/^daa\b/i.test(name)) return { hasOwnMethods: false, oneAtATime: true, takesNotifications: false };
  return ORDINARY;
}
