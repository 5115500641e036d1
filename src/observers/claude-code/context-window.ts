const LARGE_WINDOW = 1_000_000;
const SMALL_WINDOW = 200_000;

/** First versions of the models with the large window, in `major * 100 + minor`. */
const LARGE_SINCE: ReadonlyMap<string, number> = new Map([
  ['fable', 500],
  ['mythos', 500],
  ['sonnet', 500],
  ['opus', 407],
  ['haiku', 505],
]);

const MODEL = /^claude-(fable|mythos|sonnet|opus|haiku)-(\d{1,2})(?:-(\d{1,2}))?(?:-|$)/;

/**
 * Infers the size of the context window, which no transcript states. Returns null for models of other makers.
 * @param announced name of the model with the suffix `[1m]`, if the call that started the agent names it so
 * @param maxUsed greatest number of tokens in the context so far
 */
export function inferContextWindow(model: string | null, announced: string | null, maxUsed: number): number | null {
  if (maxUsed > SMALL_WINDOW) return LARGE_WINDOW;
  const name = (model ?? announced ?? '').toLowerCase();
  if (name.endsWith('[1m]') || (announced?.toLowerCase().endsWith('[1m]') ?? false)) return LARGE_WINDOW;
  const [, family = '', major = '0', minor = '0'] = MODEL.exec(name) ?? [];
  const since = LARGE_SINCE.get(family);
  if (since !== undefined) return Number(major) * 100 + Number(minor) >= since ? LARGE_WINDOW : SMALL_WINDOW;
  return name.startsWith('claude-') ? SMALL_WINDOW : null;
}
