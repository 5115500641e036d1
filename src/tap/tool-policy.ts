import { OBSERVING_CALLS } from '../shared/index.js';
import type { InjectedRequest } from './injected-calls.js';
import { isRecord } from './rpc-message.js';

/** Methods besides `tools/call` that swarmlens may send to the server. */
const PERMITTED_METHODS: ReadonlySet<string> = new Set(['ping', 'tools/list']);
/** Most tools whose annotations are remembered. */
const MAX_TOOLS = 10_000;

/**
 * Decides which requests of swarmlens reach the server: by default only reading calls. These are the tools that the user
 * allowed, tools that the server annotates with `readOnlyHint`, and `OBSERVING_CALLS` unless the server denies the hint.
 */
export class ToolPolicy {
  readonly #allowed: ReadonlySet<string>;
  /** Values of `readOnlyHint` by tool, for tools that have one. */
  readonly #readOnlyHints = new Map<string, boolean>();

  /** @param allowTools names of further tools that swarmlens may call */
  constructor(allowTools: readonly string[]) {
    this.#allowed = new Set(allowTools);
  }

  /** Returns why a request is refused. Null if it is permitted. */
  findRefusal({ method, params }: InjectedRequest): string | null {
    if (PERMITTED_METHODS.has(method)) return null;
    if (method !== 'tools/call') return `the tap does not allow the method ${JSON.stringify(method)}`;
    const { name, arguments: args = {} } = isRecord(params) ? params : {};
    if (typeof name === 'string' && this.#isPermitted(name, args)) return null;
    return `the tap does not allow this call of the tool ${JSON.stringify(name)} – add it to --allow-tools to allow it`;
  }

  /** Remembers the annotations in the response to a `tools/list` request. */
  recordTools({ params }: InjectedRequest, result: unknown): void {
    const isFirstPage = !isRecord(params) || params['cursor'] === undefined;
    if (isFirstPage) this.#readOnlyHints.clear();
    const tools = isRecord(result) && Array.isArray(result['tools']) ? result['tools'] : [];
    for (const tool of tools as unknown[]) {
      if (!isRecord(tool) || typeof tool['name'] !== 'string' || !isRecord(tool['annotations'])) continue;
      const { readOnlyHint } = tool['annotations'];
      if (typeof readOnlyHint !== 'boolean' || this.#readOnlyHints.size >= MAX_TOOLS) continue;
      this.#readOnlyHints.set(tool['name'], readOnlyHint);
    }
  }

  #isPermitted(name: string, args: unknown): boolean {
    if (this.#allowed.has(name)) return true;
    return this.#readOnlyHints.get(name) ?? isObservingCall(name, args);
  }
}

function isObservingCall(name: string, args: unknown): boolean {
  const permitted = OBSERVING_CALLS.get(name);
  if (permitted === undefined || !isRecord(args)) return false;
  const hasOnlyPermitted = Object.keys(args).every((key) => Object.hasOwn(permitted, key));
  return hasOnlyPermitted && Object.entries(permitted).every(([key, value]) => value === null || args[key] === value);
}
