import { batch, computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import {
  type Agent,
  type AgentStreamRequestPatch,
  RefreshDiscoveryDocument,
  RequestAgentUpdateDocument,
  SwarmSessionDocument,
  type SnapshotSource,
  type SwarmClient,
} from '@swarmlens/client';
import type { Theme } from '../graph/agent-style.js';
import type { GraphView } from '../graph/graph-view.js';
import { swarmLabels, unknownGroupLabels } from '../graph/groups.js';
import { countAgents } from '../model/agent-counts.js';
import { createGroupMatcher, createMatcher, createStateMatcher } from '../model/agent-filter.js';
import { AgentHistory } from '../model/agent-history.js';
import { AgentNames, type ShownName } from '../model/agent-names.js';
import { buildAgentTree, listAncestorKeys } from '../model/agent-tree.js';
import { DrawRate } from '../model/draw-rate.js';
import { HealthHistory } from '../model/health-history.js';
import { buildTaskBoard } from '../model/task-board.js';
import { hasFilter, NO_FILTER, toggle, type ViewState } from '../model/view-state.js';
import { listWaits, WaitTracker } from '../model/waits.js';
import { formatError } from '../ui/format.js';
import { withSuffix } from '../ui/labels.js';
import { throttle } from './throttle.js';
import type { TokenPrompt } from './token-prompt.js';
import { type HistoryMode, UrlState } from './url-state.js';
import { WaitNotifications } from './wait-notifications.js';

/** Maximum number of characters of a name in lists and in the graph. */
const MAX_NAME = 30;
const MAX_LABEL = 18;
const CLOCK_INTERVAL_MS = 1_000;
const HEALTH_INTERVAL_MS = 1_000;
/** Difference of two clocks in milliseconds below which ages of times do not change visibly. */
const CLOCK_TOLERANCE_MS = 500;

/** Session of a coding agent that does the work of a swarm. */
export interface SwarmSession {
  readonly agentId: string;
  /** Whether the link is derived from the working directory. */
  readonly inferred: boolean;
}

export interface PageStateOptions {
  readonly client: SwarmClient;
  readonly token: TokenPrompt;
}

/**
 * State of the page: one stream of all agents that the viewer can see, and everything that the components derive from it. The
 * page filters agents itself, so that counts include all agents whatever the filters. The graph receives every update, the
 * components a few per second.
 */
export class PageState {
  readonly token: TokenPrompt;
  readonly notifications = new WaitNotifications((agentId) => this.show(agentId));
  readonly history = new AgentHistory();
  readonly healthHistory = new HealthHistory();
  readonly connection;
  readonly stream;
  readonly agents;
  readonly tasks;
  readonly messages;
  readonly notices;
  readonly health;
  /** Current time by the clock of the server, in milliseconds since the epoch. Changes once per second. */
  readonly nowMs = signal(Date.now());
  readonly theme = signal<Theme>('light');
  readonly collapsed = signal<ReadonlySet<string>>(new Set());
  readonly isHelpOpen = signal(false);
  /** Whether the browser has taken the graphics context of the graph away. */
  readonly isGraphLost = signal(false);
  /** Graph, which is null before it is drawn and if the browser has no WebGL. */
  readonly graph = signal<GraphView | null>(null);
  readonly hasWebGl = signal(true);
  /** Maximum update rate that the page requests because it cannot draw more. Null if there is no limit. */
  readonly maxHz = signal<number | null>(null);
  /** Problem of the last action of the user. */
  readonly problem = signal<string | null>(null);
  readonly drawRate: DrawRate;

  readonly counts;
  readonly names: ReadonlySignal<ReadonlyMap<string, ShownName>>;
  /** Labels of the swarms, by their ids. */
  readonly groupLabels;
  readonly waits;
  readonly tree;
  readonly board;
  readonly selected: ReadonlySignal<Agent | null>;
  readonly isFiltered: ReadonlySignal<boolean>;

  readonly #url = new UrlState();
  readonly #client: SwarmClient;
  readonly #agentStream;
  readonly #waitTracker = new WaitTracker();
  readonly #agentNames = new AgentNames(MAX_NAME);
  readonly #graphNames = new AgentNames(MAX_LABEL);
  /** Start of the current day as a signal of its own, so that lists do not change with every second. */
  readonly #today = computed(() => new Date(this.nowMs.value).setHours(12, 0, 0, 0));
  /** Largest difference between the clock of the server and this one, in milliseconds. The latest update has the least delay. */
  #clockOffsetMs = Number.NEGATIVE_INFINITY;

  constructor({ client, token }: PageStateOptions) {
    this.#client = client;
    this.token = token;
    this.#agentStream = client.agents({}, this.view.mode, requestOf(this.view));
    this.connection = signal(client.connection.getSnapshot());
    client.connection.subscribe(() => {
      this.connection.value = client.connection.getSnapshot();
    });
    this.stream = signal(this.#agentStream.getSnapshot());
    this.agents = computed(() => this.stream.value.agents);
    this.tasks = follow(client.tasks());
    this.messages = follow(client.messages());
    this.notices = follow(client.notices());
    const health = client.health({ pollIntervalMs: HEALTH_INTERVAL_MS });
    this.health = follow(health, ({ health: current }) => {
      if (current !== null) this.healthHistory.record(current);
    });
    this.drawRate = new DrawRate((maxHz) => {
      client.setMaxHz(maxHz).then(
        () => {
          this.maxHz.value = maxHz;
        },
        // Without a limit, the server skips updates that the page does not read in time.
        () => undefined,
      );
    });

    this.counts = computed(() => countAgents(this.agents.value, this.#today.value));
    this.names = computed(() => this.#agentNames.update(this.agents.value));
    const swarms = computed(() => this.stream.value.swarms);
    this.groupLabels = computed(() => swarmLabels(swarms.value));
    this.waits = computed(() => listWaits(this.agents.value.values()));
    this.tree = computed(() =>
      buildAgentTree(this.agents.value, {
        matches: createMatcher(this.view, this.#today.value),
        sort: this.view.sort,
        isFlat: this.view.isFlat,
        collapsed: this.collapsed.value,
      }),
    );
    this.board = computed(() => buildTaskBoard(this.tasks.value.tasks, this.agents.value, this.view));
    this.selected = computed(() => {
      const { agentId } = this.view;
      return agentId === null ? null : (this.agents.value.get(agentId) ?? null);
    });
    this.isFiltered = computed(() => hasFilter(this.view));
    this.#followAgents();
    this.#followView();
    setInterval(() => this.#tick(), CLOCK_INTERVAL_MS);
    document.addEventListener('visibilitychange', () =>
      this.drawRate.setVisible(document.visibilityState === 'visible', performance.now()),
    );
  }

  get view(): ViewState {
    return this.#url.view;
  }

  change(change: Partial<ViewState>, mode: HistoryMode = 'push'): void {
    this.#url.change(change, mode);
  }

  /** Selects an agent. Null clears the selection. */
  select(agentId: string | null, mode: HistoryMode = 'push'): void {
    this.change({ agentId }, mode);
  }

  /** Selects an agent on the tab of agents, opens the rows above it and moves the graph to it. */
  show(agentId: string): void {
    const above = new Set(listAncestorKeys(agentId, this.agents.value));
    batch(() => {
      this.collapsed.value = new Set([...this.collapsed.value].filter((key) => !above.has(key)));
      this.change({ tab: 'agents', agentId });
    });
    this.graph.value?.lookAt(agentId);
  }

  /** Returns the complete name of an agent, with the suffix that distinguishes it. Its id if the agent is unknown. */
  fullNameOf(agentId: string): string {
    return withSuffix(this.agents.value.get(agentId)?.name ?? agentId, this.names.value.get(agentId)?.suffix ?? '');
  }

  /** Returns the longest label of a group. */
  labelOfGroup(groupId: string): string {
    return (this.groupLabels.value.get(groupId) ?? unknownGroupLabels(groupId))[0];
  }

  toggleRow(key: string): void {
    this.collapsed.value = new Set(toggle([...this.collapsed.value], key));
  }

  clearFilters(): void {
    this.change(NO_FILTER);
  }

  /** Polls all servers now, for the mode ON_DEMAND. */
  requestUpdate(): void {
    this.#client.mutate(RequestAgentUpdateDocument).then(
      () => {
        this.problem.value = null;
      },
      (error: unknown) => {
        this.problem.value = formatError(error);
      },
    );
  }

  /** Returns the session that does the work of an agent's swarm. Null if there is none, or if the agent has no swarm. */
  async findSession(agentId: string, signal: AbortSignal): Promise<SwarmSession | null> {
    const { agent } = await this.#client.query(SwarmSessionDocument, { agentId }, { signal });
    return agent?.swarm?.session ?? null;
  }

  /** Runs the discovery on the server, and returns its result as text. */
  async refreshDiscovery(): Promise<string> {
    const { refreshDiscovery } = await this.#client.mutate(RefreshDiscoveryDocument);
    return `${refreshDiscovery.servers.length} servers, ${refreshDiscovery.totalAgents} agents.`;
  }

  /** Passes every update to the graph, and a few per second to the components. */
  #followAgents(): void {
    const updateTexts = throttle(() => {
      const snapshot = this.#agentStream.getSnapshot();
      const begun = snapshot.cursor === null ? [] : this.#waitTracker.update(snapshot.agents);
      this.notifications.update(begun, snapshot.agents);
      this.stream.value = snapshot;
    });
    this.#agentStream.subscribe(() => {
      const { agents, timestamp } = this.#agentStream.getSnapshot();
      if (timestamp !== null) this.#clockOffsetMs = Math.max(this.#clockOffsetMs, Date.parse(timestamp) - Date.now());
      this.history.record(agents, Date.now());
      this.#drawGraph();
      updateTexts();
    });
    effect(() => {
      const waiting = this.counts.value.byState.get('waiting') ?? 0;
      document.title = waiting === 0 ? 'swarmlens' : `(${waiting}) swarmlens`;
    });
  }

  /** Applies the view to the stream and the graph. */
  #followView(): void {
    effect(() => this.#agentStream.updateRequest({ mode: this.view.mode, ...requestOf(this.view) }));
    effect(() => {
      const matches = createStateMatcher(this.view, this.#today.value);
      this.graph.value?.highlight(matches);
    });
    effect(() => {
      this.graph.value?.select(this.view.agentId);
    });
    // The filters by group remove agents from the graph.
    effect(() => {
      if (this.graph.value !== null) this.#inGroup = createGroupMatcher(this.view);
      this.#drawGraph();
    });
    effect(() => {
      const names = this.#graphNames.update(this.agents.value);
      const labels = [...names].map(([id, { head, tail, suffix }]): [string, string] => [
        id,
        withSuffix(`${head}${tail}`, suffix),
      ]);
      this.graph.value?.setLabels(new Map(labels), this.groupLabels.value);
    });
    effect(() => {
      const graph = this.graph.value;
      if (graph !== null) graph.theme = this.theme.value;
    });
  }

  #inGroup: ReturnType<typeof createGroupMatcher> = null;

  #drawGraph(): void {
    const snapshot = this.#agentStream.getSnapshot();
    const inGroup = this.#inGroup;
    const agents =
      inGroup === null ? snapshot.agents : new Map([...snapshot.agents].filter(([, agent]) => inGroup(agent)));
    this.graph.peek()?.show({ ...snapshot, agents });
  }

  #tick(): void {
    const isSkewed = Math.abs(this.#clockOffsetMs) > CLOCK_TOLERANCE_MS && Number.isFinite(this.#clockOffsetMs);
    this.nowMs.value = Date.now() + (isSkewed ? this.#clockOffsetMs : 0);
    this.drawRate.tick(performance.now());
  }
}

/** Returns a signal of the snapshots of a stream, a few per second. */
function follow<T>(source: SnapshotSource<T>, onSnapshot: (snapshot: T) => void = () => undefined): ReadonlySignal<T> {
  const current = signal(source.getSnapshot());
  const update = throttle(() => {
    current.value = source.getSnapshot();
  });
  source.subscribe(() => {
    onSnapshot(source.getSnapshot());
    update();
  });
  return current;
}

function requestOf({ omitted }: ViewState): AgentStreamRequestPatch {
  return {
    includePerformance: !omitted.includes('performance'),
    includeNeural: !omitted.includes('neural'),
    includeTopology: !omitted.includes('topology'),
  };
}
