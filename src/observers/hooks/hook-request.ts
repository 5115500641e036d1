import { HOOKS_PATH } from '../../hooks/index.js';
import { OBSERVED_SOURCES, type ObservedSource } from '../../observer-format/index.js';

/** Largest event of a hook in bytes. Events contain the inputs and results of tools. */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024;

export interface HookReceiver {
  readonly onEvent: (source: ObservedSource, event: unknown) => void;
  /** Called for an event that is no JSON. */
  readonly onMalformed: () => void;
}

/**
 * Receives the event of a hook. Answers every event with an empty success, because the observed program waits for the answer, shows
 * errors to the person, and would act on a body. Returns null for other requests.
 */
export async function receiveHook(request: Request, { onEvent, onMalformed }: HookReceiver): Promise<Response | null> {
  const { pathname } = new URL(request.url);
  const source = OBSERVED_SOURCES.find((candidate) => pathname === `${HOOKS_PATH}${candidate}`);
  if (source === undefined || request.method !== 'POST') return null;
  const event = parseJson(await request.text());
  if (event === undefined) onMalformed();
  else onEvent(source, event);
  return new Response(null, { status: 204 });
}

/** Returns undefined if the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
