import type { ObservedWaitReason } from '../../observer-format/index.js';
import { setBounded } from '../input/bounded-map.js';
import { hashText } from '../input/hash-text.js';
import { isJsonObject, isTrueAt, listAt, objectAt, textAt } from '../input/json-fields.js';
import { toName } from '../input/shown-text.js';

/** Tool call as the hooks report it. */
interface HookCall {
  readonly name: string;
  /** Hash of the input, by which a permission request is matched with its call. */
  readonly inputHash: number;
  readonly at: string;
}

/** Wait for a person. */
export interface HookWait {
  readonly reason: ObservedWaitReason;
  /** Name of the tool or of the MCP server that waits. */
  readonly label: string | null;
  readonly toolUseId: string | null;
  readonly at: string;
}

/** State of one agent according to the hooks of Claude Code. */
export interface HookState {
  /** Time at which the last event was received. */
  at: string;
  type: string | null;
  directory: string | null;
  model: string | null;
  /** `new`: no event has reported it. */
  phase: 'new' | 'working' | 'idle' | 'finished' | 'failed' | 'ended';
  since: string;
  error: string | null;
  readonly calls: Map<string, HookCall>;
  wait: HookWait | null;
  isCompacting: boolean;
  backgroundAgents: number | null;
}

/** Agents of one session according to the hooks. The key of the session's own agent is null. */
export type SessionHooks = Map<string | null, HookState>;

const MAX_CALLS = 256;
const MAX_AGENTS = 1_000;

/** Most sessions whose hooks are remembered, because every program of this machine can send events. */
export const MAX_HOOK_SESSIONS = 1_000;

/** Session of a hook event. Null if the event names none. */
export function hookSessionId(event: unknown): string | null {
  return textAt(event, 'session_id');
}

/**
 * Applies a hook event to the agents of its session. Unknown events say at most that the agent exists.
 * @param at time at which the event was received (RFC 3339, UTC), because events have no time
 */
export function reduceHook(session: SessionHooks, event: unknown, at: string): void {
  if (!isJsonObject(event)) return;
  const name = textAt(event, 'hook_event_name');
  const agentId = textAt(event, 'agent_id');
  const agentType = toName(textAt(event, 'agent_type'));
  // Internal helpers have an id without a type.
  if (name === null || (agentId !== null && agentType === null)) return;
  if (name === 'Notification' && hasOtherWait(session, agentId)) return;
  const state = session.get(agentId) ?? createHookState(at);
  setBounded(session, agentId, state, MAX_AGENTS);
  state.at = at;
  state.type = agentType ?? state.type;
  state.directory = textAt(event, 'cwd') ?? state.directory;
  state.model = toName(textAt(event, 'model')) ?? state.model;
  applyEvent(state, name, event, at);
  if (name === 'PostToolUse') recordStartedAgent(session, event, at);
}

/**
 * Returns whether another agent of the session waits. A notification names no agent: that of a subagent's wait seems to be one of
 * the session.
 */
function hasOtherWait(session: SessionHooks, agentId: string | null): boolean {
  return [...session].some(([id, { wait }]) => id !== agentId && wait !== null);
}

/** Records the agent that a call has started, because the event that it has started may be missed. */
function recordStartedAgent(session: SessionHooks, event: unknown, at: string): void {
  const response = objectAt(event, 'tool_response');
  const agentId = textAt(response, 'agentId');
  if (agentId === null || session.has(agentId)) return;
  const phase = isTrueAt(response, 'isAsync') ? 'working' : 'finished';
  const type = toName(textAt(objectAt(event, 'tool_input'), 'subagent_type') ?? textAt(response, 'agentType'));
  setBounded(session, agentId, { ...createHookState(at), phase, type }, MAX_AGENTS);
}

function createHookState(at: string): HookState {
  return {
    at,
    type: null,
    directory: null,
    model: null,
    phase: 'new',
    since: at,
    error: null,
    calls: new Map(),
    wait: null,
    isCompacting: false,
    backgroundAgents: null,
  };
}

function applyEvent(state: HookState, name: string, event: Readonly<Record<string, unknown>>, at: string): void {
  const tool = toName(textAt(event, 'tool_name'));
  const callId = textAt(event, 'tool_use_id');
  switch (name) {
    case 'SessionStart':
      setPhase(state, 'idle', at);
      break;
    case 'UserPromptSubmit':
    case 'SubagentStart':
      setPhase(state, 'working', at);
      break;
    case 'PreToolUse':
      setPhase(state, 'working', at, { keepsCalls: true });
      if (tool !== null && callId !== null) {
        setBounded(state.calls, callId, { name: tool, inputHash: hashInput(event), at }, MAX_CALLS);
      }
      break;
    case 'PermissionRequest':
      setPhase(state, 'working', at, { keepsCalls: true });
      state.wait = { reason: permissionReason(tool), label: tool, toolUseId: findCall(state, tool, event), at };
      break;
    case 'PostToolUse':
    case 'PostToolUseFailure':
    case 'PermissionDenied':
      endCall(state, callId, at);
      break;
    case 'PostToolBatch':
      for (const call of listAt(event, 'tool_calls')) endCall(state, textAt(call, 'tool_use_id'), at);
      break;
    case 'Elicitation':
      setPhase(state, 'working', at, { keepsCalls: true });
      state.wait = { reason: 'answer', label: toName(textAt(event, 'mcp_server_name')), toolUseId: null, at };
      break;
    case 'ElicitationResult':
      state.wait = null;
      setPhase(state, 'working', at, { keepsCalls: true });
      break;
    case 'Notification':
      applyNotification(state, textAt(event, 'notification_type'), at);
      break;
    case 'Stop':
      setPhase(state, 'idle', at);
      state.backgroundAgents = countRunning(listAt(event, 'background_tasks'));
      break;
    case 'StopFailure':
      setPhase(state, 'failed', at);
      state.error = toName(textAt(event, 'error')) ?? 'unknown';
      break;
    case 'SubagentStop':
      setPhase(state, 'finished', at);
      break;
    case 'SessionEnd': {
      const { error } = state;
      setPhase(state, 'ended', at);
      state.error = error;
      break;
    }
    case 'PreCompact':
      state.isCompacting = true;
      break;
    case 'PostCompact':
      state.isCompacting = false;
      break;
    default:
      break;
  }
}

function setPhase(
  state: HookState,
  phase: HookState['phase'],
  at: string,
  { keepsCalls = false }: { readonly keepsCalls?: boolean } = {},
): void {
  if (state.phase !== phase) state.since = at;
  state.phase = phase;
  state.error = null;
  state.wait = null;
  state.isCompacting = false;
  if (phase === 'working') state.backgroundAgents = null;
  if (!keepsCalls) state.calls.clear();
}

function endCall(state: HookState, callId: string | null, at: string): void {
  if (callId !== null) state.calls.delete(callId);
  const { wait } = state;
  const isOther = wait !== null && wait.toolUseId !== null && wait.toolUseId !== callId;
  setPhase(state, 'working', at, { keepsCalls: true });
  // The result of a parallel call does not end the wait.
  if (isOther) state.wait = wait;
}

function applyNotification(state: HookState, type: string | null, at: string): void {
  switch (type) {
    case 'permission_prompt':
      // Comes seconds after the request, which says more.
      state.wait ??= { reason: 'permission', label: null, toolUseId: null, at };
      break;
    case 'elicitation_dialog':
    case 'elicitation_url_dialog':
    case 'agent_needs_input':
      state.wait ??= { reason: 'answer', label: null, toolUseId: null, at };
      break;
    case 'elicitation_complete':
    case 'elicitation_response':
      state.wait = null;
      break;
    case 'idle_prompt':
      setPhase(state, 'idle', at);
      break;
    case null:
    default:
      break;
  }
}

/** Reason for a wait by the tool that asks. */
export function permissionReason(tool: string | null): ObservedWaitReason {
  if (tool === 'AskUserQuestion') return 'answer';
  return tool === 'ExitPlanMode' ? 'plan_approval' : 'permission';
}

/** Finds the newest call with the tool and the input of a permission request, which names no call. */
function findCall(state: HookState, tool: string | null, event: unknown): string | null {
  const inputHash = hashInput(event);
  const found = [...state.calls].findLast(([, call]) => call.name === tool && call.inputHash === inputHash);
  return found?.[0] ?? null;
}

const MAX_HASHED_LENGTH = 20_000;

function hashInput(event: unknown): number {
  const input = isJsonObject(event) ? event['tool_input'] : null;
  return hashText(((JSON.stringify(input) as string | undefined) ?? '').slice(0, MAX_HASHED_LENGTH)); // undefined for undefined
}

function countRunning(tasks: readonly unknown[]): number {
  return tasks.filter((task) => textAt(task, 'type') !== 'shell' && textAt(task, 'status') === 'running').length;
}
