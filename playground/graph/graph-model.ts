import { MultiDirectedGraph } from 'graphology';
import type { Agent, TopologyEdgeFragment } from '@swarmlens/client';
import type { LayoutInput } from '../layout/force-layout.js';
import type { Theme } from './agent-style.js';
import { GraphNode, type NodeAttributes } from './graph-node.js';
import { initialPositions } from './initial-positions.js';

export interface EdgeAttributes {
  readonly inferred: boolean;
  /** Gone, and not drawn any more. */
  isGone: boolean;
}

export type SwarmGraph = MultiDirectedGraph<NodeAttributes, EdgeAttributes>;
type Edge = Pick<TopologyEdgeFragment, 'id' | 'from' | 'to' | 'inferred'>;

/**
 * What has gone is not drawn, and is taken out when there is so much of it: a renderer goes over everything for each node
 * and edge that is taken out, so all is taken out at once and put in again.
 */
const MAX_GONE = 40;
const MAX_GONE_SHARE = 0.1;

/** A frame that passed in no time: everything is where it should be. */
const AT_ONCE_MS = 1e6;

/**
 * The agents and edges as a graph that moves: `show` says how things are, `step` brings the picture a little nearer to
 * it. Agents that go are drawn until they have faded.
 */
export class GraphModel {
  /** One for ever: sigma 4.0 keeps the edges of the first one in its index of parallel edges, whatever it is given. */
  readonly graph: SwarmGraph = new MultiDirectedGraph();
  readonly nodes = new Map<string, GraphNode>();
  #edges: ReadonlyMap<string, Edge> = new Map();
  #agents: ReadonlyMap<string, Agent> = new Map();
  readonly #moving = new Set<string>();
  #matches: ((agent: Agent) => boolean) | null = null;
  readonly #changedEdges = new Set<string>();
  #goneEdges = 0;
  #timesDrawnAnew = 0;
  #theme: Theme;
  #isStill: boolean;

  /** @param isStill for people who want no motion: everything is at once where it should be */
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

  /** @returns whether agents, groups or edges came or went, so that there is something to lay out */
  show(agents: ReadonlyMap<string, Agent>, edges: ReadonlyMap<string, Edge>): boolean {
    const gone = [...this.#agents.keys()].filter((id) => !agents.has(id));
    for (const id of gone) this.#detach(id);
    const added: Agent[] = [];
    let regrouped = false;
    for (const [id, agent] of agents) {
      const node = this.nodes.get(id);
      if (node === undefined) added.push(agent);
      else if (node.agent !== agent || node.isLeaving) {
        regrouped = this.#change(node, agent) || regrouped;
        this.#moving.add(id);
      }
    }
    const edgesChanged = !areSame(edges, this.#edges);
    this.#agents = agents;
    this.#edges = edges;
    this.#add(added);
    if (edgesChanged || added.length > 0) this.#connect();
    this.#tidy();
    return added.length > 0 || gone.length > 0 || regrouped || edgesChanged;
  }

  /** Faint are all but those that match, from now on; null: none is faint. */
  highlight(matches: ((agent: Agent) => boolean) | null): void {
    this.#matches = matches;
    for (const [id, node] of this.nodes) {
      this.#dim(node);
      this.#moving.add(id);
    }
  }

  #dim(node: GraphNode): void {
    node.dim(this.#matches !== null && !this.#matches(node.agent));
  }

  /** @returns the agents that look different now */
  step(passedMs: number): string[] {
    const changed: string[] = [];
    for (const id of this.#moving) {
      const node = this.nodes.get(id);
      if (node?.step(this.#isStill ? AT_ONCE_MS : passedMs) !== true) this.#moving.delete(id);
      else changed.push(id);
    }
    return changed;
  }

  /** Edges that look different since this was asked last. */
  takeChangedEdges(): string[] {
    const changed = [...this.#changedEdges];
    this.#changedEdges.clear();
    return changed;
  }

  /** It grows when the graph was emptied and filled again, so that what a renderer knew of its nodes is forgotten. */
  get timesDrawnAnew(): number {
    return this.#timesDrawnAnew;
  }

  get isMoving(): boolean {
    return this.#moving.size > 0;
  }

  /** What the layout has to know, and whose places it will tell. */
  layout(): { readonly ids: readonly string[]; readonly input: LayoutInput } {
    const staying = [...this.nodes].filter(([, node]) => !node.isLeaving);
    const ids = staying.map(([id]) => id);
    const places = new Map(ids.map((id, index) => [id, index]));
    const groups = new Map<string, number>();
    const edges: number[] = [];
    for (const { from, to } of this.#edges.values()) {
      const start = places.get(from);
      const end = places.get(to);
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

  /** @param positions x and y of each of `ids` @param minWay shorter ways are not gone: nobody would see them */
  place(ids: readonly string[], positions: Float32Array, minWay = 0): void {
    ids.forEach((id, index) => {
      const node = this.nodes.get(id);
      const [x = 0, y = 0] = positions.subarray(index * 2, index * 2 + 2);
      if (node === undefined || Math.hypot(node.target.x - x, node.target.y - y) < minWay) return;
      node.goTo(x, y);
      this.#moving.add(id);
    });
  }

  #detach(id: string): void {
    const node = this.nodes.get(id);
    if (node === undefined || node.isLeaving) return;
    node.leave();
    this.#moving.add(id);
  }

  #change(node: GraphNode, agent: Agent): boolean {
    const group = node.group;
    node.show(agent, this.#theme, !this.#isStill && isWork(node.agent, agent));
    this.#dim(node);
    return node.group !== group;
  }

  #add(agents: readonly Agent[]): void {
    for (const [agent, place] of initialPositions(agents, this.nodes.values())) {
      const node = new GraphNode(agent, place, this.#theme);
      this.#dim(node);
      this.nodes.set(agent.id, node);
      this.#moving.add(agent.id);
      this.#draw(agent.id, node);
    }
  }

  #draw(id: string, node: GraphNode): void {
    this.graph.addNode(id, node.attributes);
    // The graph keeps an object of its own.
    node.attributes = this.graph.getNodeAttributes(id);
  }

  /** Takes out what has gone, when there is enough of it. */
  #tidy(): void {
    const left = [...this.nodes].filter(([, { hasLeft }]) => hasLeft);
    const gone = left.length + this.#goneEdges;
    if (gone < MAX_GONE || gone < MAX_GONE_SHARE * (this.graph.order + this.graph.size)) return;
    for (const [id] of left) this.nodes.delete(id);
    this.#timesDrawnAnew += 1;
    this.#goneEdges = 0;
    this.#changedEdges.clear();
    this.graph.clear();
    for (const [id, node] of this.nodes) this.#draw(id, node);
    this.#connect();
  }

  #connect(): void {
    this.#goneEdges = 0;
    this.graph.forEachEdge((id, attributes) => {
      const isGone = !this.#edges.has(id);
      if (isGone) this.#goneEdges += 1;
      if (isGone === attributes.isGone) return;
      attributes.isGone = isGone;
      this.#changedEdges.add(id);
    });
    for (const { id, from, to, inferred } of this.#edges.values())
      if (!this.graph.hasEdge(id) && this.graph.hasNode(from) && this.graph.hasNode(to))
        this.graph.addEdgeWithKey(id, from, to, { inferred, isGone: false });
  }
}

function areSame(some: ReadonlyMap<string, Edge>, others: ReadonlyMap<string, Edge>): boolean {
  if (some === others) return true;
  return some.size === others.size && [...some.keys()].every((id) => others.has(id));
}

/** Whether an agent did something, which is more than that a number was measured anew. */
function isWork(before: Agent, after: Agent): boolean {
  return (
    before.status !== after.status ||
    before.stale !== after.stale ||
    before.performance?.tasksCompleted !== after.performance?.tasksCompleted ||
    before.performance?.tasksFailed !== after.performance?.tasksFailed
  );
}
