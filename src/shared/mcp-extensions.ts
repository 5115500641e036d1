/** Path of the WebSocket endpoint for taps. */
export const TAP_PATH = '/tap';

/** Notification from a tap about an answered call of the observed client: `{tool, arguments, result | error}`. */
export const TAP_CALL_METHOD = 'notifications/swarmlens/call';

/** Close code and reason of a tap whose server has exited. */
export const TAP_CLOSE_ENDED = { code: 1000, reason: 'the session has ended' } as const;

/** Close codes for rejected taps, which do not reconnect. */
export const TAP_CLOSE_REJECTED = { badRequest: 4400, nameIsTaken: 4409, isReplaced: 4410 } as const;

export function isTapRejection(code: number): boolean {
  return code >= 4_400 && code <= 4_499;
}

/** Most tools that a tap can allow in addition to reading tools, and the greatest length of their names. */
export const MAX_ALLOW_TOOLS = 256;
export const MAX_TOOL_NAME_LENGTH = 256;

/** Key in `capabilities.experimental` by which a simulator announces that its data is simulated. */
export const SIMULATED_CAPABILITY = 'swarmlens/simulated';

/** Largest JSON-RPC message that sessions, taps and simulators accept, in bytes. */
export const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;

/**
 * Tool calls by which swarmlens observes servers. A tap permits no other calls by default. Contains the permitted arguments of
 * each tool: null for any value, or the required value, because some tools also change things.
 */
export const OBSERVING_CALLS: ReadonlyMap<string, Readonly<Record<string, string | null>>> = new Map([
  // claude-flow
  ['agent_list', { swarmId: null }],
  ['agent/list', {}],
  ['daa_cognitive_pattern', { agentId: null, action: 'analyze' }],
  ['daa_learning_status', {}],
  ['hive-mind_status', {}],
  ['task_list', { limit: null }],
  // ruv-swarm, in addition. `swarm_status` of claude-flow 3 changes its project, and is never called.
  ['memory_usage', {}],
  ['swarm_status', {}],
  ['task_status', {}],
  // DAA, and observers, which return what has changed after a revision
  ['list_agents', { after: null }],
  ['list_tasks', { after: null }],
  ['list_messages', { after: null }],
]);
