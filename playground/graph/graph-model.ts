import { MultiDirectedGraph } from 'graphology';
import type { Agent, TopologyEdgeFragment } from '@swarmlens/client';
import type { LayoutInput } from '../layout/force-layout.js';
import type { Theme } from './agent-style.js';
import { GraphNode, type NodeAttributes } from './graph-node.js';
import { initialPositions } from './initial-positions.js';

export interface EdgeAttributes {
  readonly inferred: boolean;
  /** Whether the edge leads from an agent to an agent that it started. */
  readonly isParent: boolean;
  /** Whether the edge was removed and is hidden. */
  isGone: boolean;
}

export type SwarmGraph = MultiDirectedGraph<NodeAttributes, EdgeAttributes>;
type TopologyEdge = Pick<TopologyEdgeFragment, 'id' | 'from' | 'to' | 'inferred'>;
type Edge = TopologyEdge & Pick<EdgeAttributes, 'isParent'>;

/**
 * Number of hidden nodes and edges at which the graph is rebuilt without them. Removing them one by one is slow, because the
 * renderer visits the whole graph for each.
 */
const MAX_HIDDEN = 40;

/** Share of hidden nodes and edges at which the graph is rebuilt. */
const MAX_HIDDEN_SHARE = 0.1;

/** Time after which every animation has ended, in milliseconds. */
const INSTANT_MS = 1e6;

/** Agents and edges as an animated graph. `show` sets the targets, and `step` moves the graph toward them. */
export class GraphModel {
  /** Graph of the renderer. Never replaced, because sigma 4.0 keeps the first graph's edges in an index. */
  readonly graph: SwarmGraph = new MultiDirectedGraph();
  readonly nodes = new Map<string, GraphNode>();
  #topologyEdges: ReadonlyMap<string, TopologyEdge> = new Map();
  #edges: ReadonlyMap<string, Edge> = new Map();
  #agents: ReadonlyMap<string, Agent> = new Map();
  readonly #moving = new Set<string>();
  #matches: ((agent: Agent) => boolean) | null = null;
  readonly #relabeled = new Set<string>();
  readonly #changedEdges = new Set<string>();
  #hiddenEdges = 0;
  #rebuildCount = 0;
  #theme: Theme;
  #isStill: boolean;

  /** @param isStill whether every change is instant, for reduced motion */
  constructor(theme: Theme, isStill = false) {
    this.#theme = theme;
    this.#isStill = isStill;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    for (const [id, node] of this.nodes) {
      if (!node.isLeaving) node.show(node.agent, theme, false);
      this.#moving.add(id);
    }
  }

  /**
   * Sets the agents and edges to show.
   *
   * @returns whether the layout must run, because agents, groups or edges were added or removed
   */
  show(agents: ReadonlyMap<string, Agent>, topologyEdges: ReadonlyMap<string, TopologyEdge>): boolean {
    const removed = [...this.#agents.keys()].filter((id) => !agents.has(id));
    for (const id of removed) this.#remove(id);
    const added: Agent[] = [];
    let [hasRegrouped, hasReparented] = [false, false];
    for (const [id, agent] of agents) {
      const node = this.nodes.get(id);
      if (node === undefined) added.push(agent);
      else if (node.agent !== agent || node.isLeaving) {
        hasReparented ||= node.agent.parentId !== agent.parentId;
        hasRegrouped = this.#change(node, agent) || hasRegrouped;
        this.#moving.add(id);
      }
    }
    const isSame = topologyEdges === this.#topologyEdges && !hasReparented && added.length + removed.length === 0;
    const edges = isSame ? this.#edges : joinEdges(agents, topologyEdges);
    const edgesChanged = !haveSameKeys(edges, this.#edges);
    this.#agents = agents;
    this.#topologyEdges = topologyEdges;
    this.#edges = edges;
    this.#add(added);
    if (edgesChanged || added.length > 0) this.#connect();
    this.#rebuildIfNeeded();
    return added.length > 0 || removed.length > 0 || hasRegrouped || edgesChanged;
  }

  /** Dims all agents that do not match. Null dims none. */
  highlight(matches: ((agent: Agent) => boolean) | null): void {
    this.#matches = matches;
    for (const [id, node] of this.nodes) {
      this.#dim(node);
      this.#moving.add(id);
    }
  }

  /** Sets the labels of agents. Agents without one keep theirs. */
  setLabels(labels: ReadonlyMap<string, string>): void {
    for (const [id, node] of this.nodes) {
      const label = labels.get(id);
      if (label !== undefined && node.setLabel(label)) this.#relabeled.add(id);
    }
  }

  #dim(node: GraphNode): void {
    node.dim(this.#matches !== null && !this.#matches(node.agent));
  }

  /**
   * Moves the graph toward its targets.
   *
   * @returns ids of the agents that changed
   */
  step(elapsedMs: number): string[] {
    const changed = [...this.#relabeled].filter((id) => !this.#moving.has(id) && this.nodes.has(id));
    this.#relabeled.clear();
    for (const id of this.#moving) {
      const node = this.nodes.get(id);
      if (node?.step(this.#isStill ? INSTANT_MS : elapsedMs) !== true) this.#moving.delete(id);
      else changed.push(id);
    }
    return changed;
  }

  /** Returns the ids of the edges that have changed since the last call. */
  takeChangedEdges(): string[] {
    const changed = [...this.#changedEdges];
    this.#changedEdges.clear();
    return changed;
  }

  /** Number of times the graph was rebuilt. The renderer then knows nothing about the state of its nodes. */
  get rebuildCount(): number {
    return this.#rebuildCount;
  }

  /** Whether the next step changes something. */
  get isMoving(): boolean {
    return this.#moving.size + this.#relabeled.size > 0;
  }

  /** Returns the input of the layout and the ids of its nodes. */
  layout(): { readonly ids: readonly string[]; readonly input: LayoutInput } {
    const staying = [...this.nodes].filter(([, node]) => !node.isLeaving);
    const ids = staying.map(([id]) => id);
    const indexes = new Map(ids.map((id, index) => [id, index]));
    const groups = new Map<string, number>();
    const edges: number[] = [];
    for (const { from, to } of this.#edges.values()) {
      const start = indexes.get(from);
      const end = indexes.get(to);
      if (start !== undefined && end !== undefined && start !== end) edges.push(start, end);
    }
    return {
      ids,
      input: {
        positions: new Float32Array(staying.flatMap(([, { target }]) => [target.x, target.y])),
        groups: new Uint32Array(
          staying.map(([, { group }]) => {
            const number = groups.get(group) ?? groups.size;
            groups.set(group, number);
            return number;
          }),
        ),
        edges: new Uint32Array(edges),
      },
    };
  }

  /**
   * Sets the target positions of agents.
   *
   * @param positions x and y of each of `ids`
   * @param minDistance distance below which an agent stays in place, because its move would be invisible
   */
  place(ids: readonly string[], positions: Float32Array, minDistance = 0): void {
    ids.forEach((id, index) => {
      const node = this.nodes.get(id);
      const [x = 0, y = 0] = positions.subarray(index * 2, index * 2 + 2);
      if (node === undefined || Math.hypot(node.target.x - x, node.target.y - y) < minDistance) return;
      node.moveTo(x, y);
      this.#moving.add(id);
    });
  }

  #remove(id: string): void {
    const node = this.nodes.get(id);
    if (node === undefined || node.isLeaving) return;
    node.leave();
    this.#moving.add(id);
  }

  #change(node: GraphNode, agent: Agent): boolean {
    const group = node.group;
    node.show(agent, this.#theme, !this.#isStill && hasWorked(node.agent, agent));
    this.#dim(node);
    return node.group !== group;
  }

  #add(agents: readonly Agent[]): void {
    for (const [agent, position] of initialPositions(agents, this.nodes.values())) {
      const node = new GraphNode(agent, position, this.#theme);
      this.#dim(node);
      this.nodes.set(agent.id, node);
      this.#moving.add(agent.id);
      this.#draw(agent.id, node);
    }
  }

  #draw(id: string, node: GraphNode): void {
    this.graph.addNode(id, node.attributes);
    // The graph has copied the object.
    node.attributes = this.graph.getNodeAttributes(id);
  }

  /** Rebuilds the graph if it contains many hidden nodes and edges. */
  #rebuildIfNeeded(): void {
    const faded = [...this.nodes].filter(([, { hasLeft }]) => hasLeft);
    const hidden = faded.length + this.#hiddenEdges;
    if (hidden < MAX_HIDDEN || hidden < MAX_HIDDEN_SHARE * (this.graph.order + this.graph.size)) return;
    for (const [id] of faded) this.nodes.delete(id);
    this.#rebuildCount += 1;
    this.#hiddenEdges = 0;
    this.#changedEdges.clear();
    this.graph.clear();
    for (const [id, node] of this.nodes) this.#draw(id, node);
    this.#connect();
  }

  #connect(): void {
    this.#hiddenEdges = 0;
    this.graph.forEachEdge((id, attributes) => {
      const isGone = !this.#edges.has(id);
      if (isGone) this.#hiddenEdges += 1;
      if (isGone === attributes.isGone) return;
      attributes.isGone = isGone;
      this.#changedEdges.add(id);
    });
    for (const { id, from, to, inferred, isParent } of this.#edges.values())
      if (!this.graph.hasEdge(id) && this.graph.hasNode(from) && this.graph.hasNode(to))
        this.graph.addEdgeWithKey(id, from, to, { inferred, isParent, isGone: false });
  }
}

/**
 * Joins the edges of topologies with the edges from agents to those that they started. The latter replace an edge of the
 * topology between the same agents.
 */
function joinEdges(
  agents: ReadonlyMap<string, Agent>,
  topologyEdges: ReadonlyMap<string, TopologyEdge>,
): ReadonlyMap<string, Edge> {
  const edges = new Map<string, Edge>();
  for (const { id, parentId } of agents.values()) {
    if (parentId === null || parentId === id || !agents.has(parentId)) continue;
    const edge = { id: parentEdgeId(parentId, id), from: parentId, to: id, inferred: false, isParent: true };
    edges.set(edge.id, edge);
  }
  for (const edge of topologyEdges.values())
    if (!edges.has(parentEdgeId(edge.from, edge.to))) edges.set(edge.id, { ...edge, isParent: false });
  return edges;
}

function parentEdgeId(parentId: string, id: string): string {
  return JSON.stringify([parentId, id]);
}

function haveSameKeys(first: ReadonlyMap<string, Edge>, second: ReadonlyMap<string, Edge>): boolean {
  if (first === second) return true;
  return first.size === second.size && [...first.keys()].every((id) => second.has(id));
}

/** Whether an agent has worked, as opposed to a new measurement of a number. A stale agent has not. */
function hasWorked(before: Agent, after: Agent): boolean {
  if (after.stale) return false;
  return (
    before.status !== after.status ||
    before.stale !== after.stale ||
    before.performance?.tasksCompleted !== after.performance?.tasksCompleted ||
    before.performance?.tasksFailed !== after.performance?.tasksFailed
  );
}
