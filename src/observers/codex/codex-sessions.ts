import type { ObservedMessage, ObservedTask } from '../../observer-format/index.js';
import {
  hookSessionId,
  type HookState,
  MAX_HOOK_SESSIONS,
  reduceHook,
  type SessionHooks,
} from '../agents/hook-state.js';
import { textAt } from '../input/json-fields.js';
import type { ReadLog, SessionEntries, SourceSessions } from '../source.js';
import { directoryKeyOf } from '../agents/directory-key.js';
import { addBounded } from '../input/bounded-map.js';
import type { PriceList } from '../prices/price-list.js';
import { describeThread, SILENCE_MS, type Thread, type ThreadOptions } from './describe-thread.js';
import type { RolloutState } from './rollout-state.js';

interface Rollout {
  readonly path: string;
  readonly state: RolloutState;
  readonly isComplete: boolean;
  readonly modifiedAtMs: number;
}

/** Threads of one tree by their ids. A thread that was continued has several rollouts; the newest one counts. */
interface ThreadTree {
  readonly rootId: string;
  readonly threads: Map<string, Map<string, Rollout>>;
  readonly hooks: SessionHooks;
  /** Number of threads that were silent when they were last checked. */
  silentThreads: number;
}

/** Sessions of Codex with their threads. */
export class CodexSessions implements SourceSessions {
  readonly #prices: PriceList;
  readonly #trees = new Map<string, ThreadTree>();
  readonly #rootOf = new Map<string, string>();
  readonly #changed = new Set<string>();
  /** Roots with events of hooks, the newest last. */
  readonly #hookTrees = new Set<string>();

  /** Number of colliding ids, which is 0: several rollouts of one thread continue each other. */
  readonly collisions = 0;

  constructor(prices: PriceList) {
    this.#prices = prices;
  }

  setLog(path: string, log: ReadLog): void {
    // The follower returns the states that `createState` made for the path.
    const state = log.state as RolloutState;
    const { identity } = state;
    if (identity === null) return;
    const { id, rootId } = identity;
    const { isComplete, modifiedAtMs } = log;
    const tree = this.#treeOf(rootId);
    const rollouts = tree.threads.get(id) ?? new Map<string, Rollout>();
    tree.threads.set(id, rollouts.set(path, { path, state, isComplete, modifiedAtMs }));
    this.#rootOf.set(path, rootId);
    this.#changed.add(rootId);
  }

  /** Returns false: Codex keeps no documents that are read. */
  setDocument(): boolean {
    return false;
  }

  removeFile(path: string): void {
    const rootId = this.#rootOf.get(path);
    const tree = rootId === undefined ? undefined : this.#trees.get(rootId);
    if (tree === undefined) return;
    this.#rootOf.delete(path);
    for (const [id, rollouts] of tree.threads)
      if (rollouts.delete(path) && rollouts.size === 0) tree.threads.delete(id);
    this.#changed.add(tree.rootId);
  }

  applyHook(event: unknown, at: string): void {
    const turnEnd = textAt(event, 'type') === 'agent-turn-complete' ? textAt(event, 'thread-id') : null;
    const sessionId = turnEnd ?? hookSessionId(event);
    if (sessionId === null) return;
    const tree = this.#treeOf(sessionId);
    reduceHook(tree.hooks, turnEnd === null ? event : { hook_event_name: 'Stop', cwd: textAt(event, 'cwd') }, at);
    this.#changed.add(sessionId);
    for (const oldest of addBounded(this.#hookTrees, sessionId, MAX_HOOK_SESSIONS)) {
      this.#treeOf(oldest).hooks.clear();
      this.#changed.add(oldest);
    }
  }

  /** Does nothing: Codex keeps no register of its processes. */
  checkProcesses(): void {
    // See above.
  }

  checkSilence(nowMs: number): void {
    for (const tree of this.#trees.values()) {
      const silent = [...tree.threads].filter(([, rollouts]) => {
        const rollout = newest(rollouts);
        return rollout?.state.turn.phase === 'working' && nowMs - rollout.modifiedAtMs > SILENCE_MS;
      });
      if (silent.length !== tree.silentThreads) this.#changed.add(tree.rootId);
      tree.silentThreads = silent.length;
    }
  }

  liveSessions(): ReadonlySet<string> {
    return new Set();
  }

  takeChanges(nowMs: number): ReadonlyMap<string, SessionEntries | null> {
    const changes = new Map<string, SessionEntries | null>();
    for (const rootId of this.#changed) {
      const tree = this.#trees.get(rootId);
      if (tree === undefined) continue;
      const isGone = tree.threads.size === 0 && tree.hooks.size === 0;
      if (isGone) this.#trees.delete(rootId);
      changes.set(rootId, isGone ? null : describeTree(tree, { nowMs, prices: this.#prices }));
    }
    this.#changed.clear();
    return changes;
  }

  #treeOf(rootId: string): ThreadTree {
    const known = this.#trees.get(rootId);
    if (known !== undefined) return known;
    const created: ThreadTree = { rootId, threads: new Map(), hooks: new Map(), silentThreads: 0 };
    this.#trees.set(rootId, created);
    return created;
  }
}

function describeTree(tree: ThreadTree, options: ThreadOptions): SessionEntries {
  const { rootId } = tree;
  const threads = threadsOf(tree);
  const ids = new Set(threads.map(({ id }) => id));
  const agents = threads.map((thread) => describeThread(thread, (id) => ids.has(id), options));
  if (agents.length === 0) return { agents, swarms: [], tasks: [], messages: [] };
  const root = threads.find(({ id }) => id === rootId);
  const lead = agents.find(({ id }) => id === rootId) ?? null;
  return {
    agents,
    swarms: [
      {
        id: rootId,
        kind: 'session',
        name: lead?.name ?? null,
        leadAgentId: lead?.id ?? null,
        processKey: null,
        directoryKey: directoryKeyOf(root?.state?.directory ?? root?.hooks?.directory ?? null),
        createdAt: lead?.createdAt ?? null,
      },
    ],
    tasks: threads.flatMap((thread) => describePlan(thread)),
    messages: describeMessages(threads, rootId),
  };
}

function threadsOf({ rootId, threads, hooks }: ThreadTree): readonly Thread[] {
  const hooksOf = (id: string): HookState | null => hooks.get(id === rootId ? null : id) ?? null;
  const recorded = [...threads].flatMap(([id, rollouts]): Thread[] => {
    const rollout = newest(rollouts);
    if (rollout === null || rollout.state.identity?.kind === 'helper') return [];
    return [{ id, rootId, ...rollout, hooks: hooksOf(id) }];
  });
  const hooked = [...hooks.keys()].flatMap((agentId): Thread[] => {
    const id = agentId ?? rootId;
    return threads.has(id) ? [] : [{ id, rootId, state: null, isComplete: false, modifiedAtMs: 0, hooks: hooksOf(id) }];
  });
  return [...recorded, ...hooked];
}

/** Describes the plan of a thread, whose steps have no ids but their positions. */
function describePlan({ id, rootId, state }: Thread): readonly ObservedTask[] {
  return (state?.plan ?? []).map(({ title, status }, index) => ({
    id: `${id}/plan-${index + 1}`,
    swarmId: rootId,
    title,
    status,
    agentIds: [id],
    dependsOnIds: [],
    createdAt: null,
    startedAt: null,
    endedAt: null,
  }));
}

/** Describes the messages between the threads of one tree, oldest first. */
function describeMessages(threads: readonly Thread[], rootId: string): readonly ObservedMessage[] {
  const byPath = new Map<string, string>([['/root', rootId]]);
  for (const { id, state } of threads) if (state?.identity?.path != null) byPath.set(state.identity.path, id);
  const messages = new Map<string, ObservedMessage>();
  for (const { state } of threads) {
    for (const { from, to, sentAt, hash, text } of state?.messages ?? []) {
      const recipient = byPath.get(to);
      // Sender and recipient record the same message.
      const id = `${rootId}/${hash.toString(36)}-${Date.parse(sentAt).toString(36)}`;
      messages.set(id, {
        id,
        swarmId: rootId,
        fromAgentId: byPath.get(from) ?? null,
        toAgentIds: recipient === undefined ? [] : [recipient],
        sentAt,
        kind: null,
        isRead: null,
        text,
      });
    }
  }
  return [...messages.values()].sort((a, b) => (a.sentAt === b.sentAt ? 0 : a.sentAt < b.sentAt ? -1 : 1));
}

function newest(rollouts: ReadonlyMap<string, Rollout>): Rollout | null {
  let found: Rollout | null = null;
  for (const rollout of rollouts.values()) {
    const isNewer =
      found === null ||
      (rollout.state.lastActiveAt ?? '') > (found.state.lastActiveAt ?? '') ||
      (rollout.state.lastActiveAt === found.state.lastActiveAt && rollout.path > found.path);
    if (isNewer) found = rollout;
  }
  return found;
}
