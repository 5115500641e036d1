/** Name and version of the observer format. The version changes when a reader of the earlier one would misread answers. */
export const OBSERVER_FORMAT = 'swarmlens-observer';
export const OBSERVER_FORMAT_VERSION = 1;

/** Programs whose sessions are observed. */
export const OBSERVED_SOURCES = ['claude-code', 'codex'] as const;
export type ObservedSource = (typeof OBSERVED_SOURCES)[number];

/**
 * Status of an observed agent. `waiting`: blocked until a person acts. `idle`: its turn is over and it accepts another one.
 * `interrupted`: a person ended its turn. `finished`: a subagent that has returned its result. `failed`: its turn ended in an
 * error. `ended`: its session or process is over.
 */
export const OBSERVED_STATUSES = [
  'working',
  'waiting',
  'idle',
  'interrupted',
  'finished',
  'failed',
  'ended',
  'unknown',
] as const;
export type ObservedStatus = (typeof OBSERVED_STATUSES)[number];

export const OBSERVED_ACTIVITY_KINDS = ['tool', 'model', 'waiting', 'compacting'] as const;
export type ObservedActivityKind = (typeof OBSERVED_ACTIVITY_KINDS)[number];

export const OBSERVED_WAIT_REASONS = ['permission', 'answer', 'plan_approval', 'other'] as const;
export type ObservedWaitReason = (typeof OBSERVED_WAIT_REASONS)[number];

export const OBSERVED_TASK_STATUSES = [
  'pending',
  'in_progress',
  'blocked',
  'completed',
  'failed',
  'canceled',
  'unknown',
] as const;
export type ObservedTaskStatus = (typeof OBSERVED_TASK_STATUSES)[number];

/** Resources of an observer, by the tool that lists them. A client that subscribes to one is notified about its changes. */
export const OBSERVER_RESOURCES = {
  list_agents: 'swarmlens://agents',
  list_tasks: 'swarmlens://tasks',
  list_messages: 'swarmlens://messages',
} as const;
export type ObserverListTool = keyof typeof OBSERVER_RESOURCES;

/** Prefix of the name with which an observer identifies itself. The observed source follows. */
export const OBSERVER_SERVER_NAME_PREFIX = 'swarmlens-observer-';
