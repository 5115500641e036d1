import { isTable } from '../client-files/index.js';
import type { ObservedSource } from '../observer-format/index.js';
import { HOOKS_TOKEN_VARIABLE, hooksUrl, isHooksUrl } from './hook-endpoint.js';

/** Time in seconds after which Claude Code continues without the answer of a hook. */
const TIMEOUT_S = 2;

/**
 * Events of Claude Code that change what an observer shows. Leaves out `SessionStart`, which takes no HTTP hooks and adds nothing to
 * the transcript, and `WorktreeCreate`, whose hook must answer with a path.
 */
export const CLAUDE_CODE_EVENTS = [
  'UserPromptSubmit',
  'PreToolUse',
  'PermissionRequest',
  'PermissionDenied',
  'PostToolUse',
  'PostToolUseFailure',
  'Notification',
  'Elicitation',
  'ElicitationResult',
  'SubagentStart',
  'SubagentStop',
  'Stop',
  'StopFailure',
  'PreCompact',
  'PostCompact',
  'SessionEnd',
] as const;

/** Events of Codex that change what an observer shows. */
const CODEX_EVENTS = [
  'UserPromptSubmit',
  'PreToolUse',
  'PermissionRequest',
  'PostToolUse',
  'SubagentStart',
  'SubagentStop',
  'Stop',
  'PreCompact',
  'PostCompact',
] as const;

/** Groups of handlers by the name of their event, as in the settings of Claude Code and Codex. */
export type ProgramHooks = Readonly<Record<string, readonly HookGroup[]>>;

export interface HookGroup {
  readonly hooks: readonly Readonly<Record<string, unknown>>[];
}

export interface HookOptions {
  /** Port on 127.0.0.1 to which the events are sent. */
  readonly port: number;
  /** Whether the hooks send the token in `SWARMLENS_OBSERVE_TOKEN`. */
  readonly sendsToken: boolean;
}

/** Returns the hooks that send the events of a program to the observers. */
export function createHooks(source: ObservedSource, options: HookOptions): ProgramHooks {
  const [events, handler] =
    source === 'claude-code' ? [CLAUDE_CODE_EVENTS, claudeCodeHandler(options)] : [CODEX_EVENTS, codexHandler(options)];
  return Object.fromEntries(events.map((event) => [event, [{ hooks: [handler] }]]));
}

function claudeCodeHandler({ port, sendsToken }: HookOptions) {
  const handler = { type: 'http', url: hooksUrl(port, 'claude-code'), timeout: TIMEOUT_S };
  if (!sendsToken) return handler;
  // Claude Code replaces only the variables that are allowed.
  const headers = { Authorization: `Bearer $${HOOKS_TOKEN_VARIABLE}` };
  return { ...handler, headers, allowedEnvVars: [HOOKS_TOKEN_VARIABLE] };
}

/** Returns a command, because Codex has no HTTP hooks. It prints nothing and succeeds without an observer. */
function codexHandler({ port, sendsToken }: HookOptions) {
  const header = sendsToken ? ` -H "Authorization: Bearer $${HOOKS_TOKEN_VARIABLE}"` : '';
  const command = `curl -s -o /dev/null -m ${TIMEOUT_S}${header} --data-binary @- ${hooksUrl(port, 'codex')} || true`;
  return { type: 'command', command, timeout: 2 * TIMEOUT_S };
}

/** Returns whether a handler in the settings of Claude Code is one of these hooks, of any version and on any port. */
export function isOwnHandler(handler: unknown): boolean {
  return isTable(handler) && handler['type'] === 'http' && isHooksUrl(handler['url'], 'claude-code');
}
