import iterate from 'graphology-layout-forceatlas2/iterate.js';

/** Length of a node in the matrix of ForceAtlas2. */
const NODE_STRIDE = 10;

/** Length of an edge in the matrix of ForceAtlas2. An edge refers to its nodes by their offsets. */
const EDGE_STRIDE = 3;
const MASS = 6;
const CONVERGENCE = 7;
const SIZE = 8;

/** Approximate distance between agents of one group. */
export const SPACING = 40;

/**
 * Strength of repulsion. It decreases with the distance, and attraction to the hub increases, so that agents fill a disc evenly
 * with an area of π·REPULSION each.
 */
const REPULSION = SPACING ** 2 / Math.PI;

/** Strength of attraction to the center. Weaker than HUB_PULL, so that groups keep a distance. */
const GRAVITY = 0.3;
const HUB_PULL = 0.6;
const EDGE_PULL = 1.4;

/** Number of nodes above which distant ones are approximated (Barnes-Hut). */
const MANY_NODES = 300;

export interface LayoutInput {
  /** Positions of the nodes: x and y of each. */
  readonly positions: Float32Array;
  /** Group of each node, numbered from 0 without gaps. */
  readonly groups: Uint32Array;
  /** Pairs of node indexes. */
  readonly edges: Uint32Array;
}

/** ForceAtlas2 layout of the agents, each attracted by the invisible hub of its group. */
export class ForceLayout {
  readonly #count: number;
  readonly #nodes: Float32Array;
  readonly #edges: Float32Array;
  #iterations: number;

  /** @param completedSteps number of steps to count as completed; the layout moves less with each */
  constructor(input: LayoutInput, completedSteps = 0) {
    this.#iterations = completedSteps;
    this.#count = input.groups.length;
    this.#nodes = createNodes(input);
    this.#edges = createEdges(input);
  }

  /**
   * Runs one step.
   *
   * @returns mean distance that an agent moved, which approaches 0
   */
  step(): number {
    const before = this.positions();
    this.#iterations += 1;
    iterate(
      {
        linLogMode: false,
        outboundAttractionDistribution: false,
        adjustSizes: false,
        edgeWeightInfluence: 1,
        scalingRatio: REPULSION,
        strongGravityMode: true,
        gravity: GRAVITY,
        // Damps oscillations more with each step.
        slowDown: 0.5 + this.#iterations / 60,
        barnesHutOptimize: this.#count > MANY_NODES,
        barnesHutTheta: 0.8,
      },
      this.#nodes,
      this.#edges,
    );
    const after = this.positions();
    let distance = 0;
    for (let index = 0; index < after.length; index += 2)
      distance += Math.hypot(
        (after[index] ?? 0) - (before[index] ?? 0),
        (after[index + 1] ?? 0) - (before[index + 1] ?? 0),
      );
    return this.#count === 0 ? 0 : distance / this.#count;
  }

  /** Returns x and y of each agent. */
  positions(): Float32Array<ArrayBuffer> {
    const positions = new Float32Array(this.#count * 2);
    for (let index = 0; index < this.#count; index += 1) {
      positions[index * 2] = this.#nodes[index * NODE_STRIDE] ?? 0;
      positions[index * 2 + 1] = this.#nodes[index * NODE_STRIDE + 1] ?? 0;
    }
    return positions;
  }
}

/** Creates the nodes: the agents, then a hub in the center of each group. */
function createNodes({ positions, groups }: LayoutInput): Float32Array {
  const centers = computeCenters(positions, groups);
  const nodes = new Float32Array((groups.length + centers.length) * NODE_STRIDE);
  const put = (index: number, x: number, y: number): void => {
    const start = index * NODE_STRIDE;
    nodes[start] = x;
    nodes[start + 1] = y;
    nodes[start + MASS] = 1;
    nodes[start + CONVERGENCE] = 1;
    nodes[start + SIZE] = 1;
  };
  groups.forEach((_group, index) => put(index, positions[index * 2] ?? 0, positions[index * 2 + 1] ?? 0));
  centers.forEach(({ x, y }, group) => put(groups.length + group, x, y));
  return nodes;
}

function computeCenters(positions: Float32Array, groups: Uint32Array): { x: number; y: number }[] {
  const sums: { x: number; y: number; count: number }[] = [];
  groups.forEach((group, index) => {
    const sum = (sums[group] ??= { x: 0, y: 0, count: 0 });
    sum.x += positions[index * 2] ?? 0;
    sum.y += positions[index * 2 + 1] ?? 0;
    sum.count += 1;
  });
  // Slightly off center, because two nodes at one position do not repel each other.
  return sums.map(({ x, y, count }) => ({ x: x / count + 0.5, y: y / count + 0.25 }));
}

function createEdges({ groups, edges }: LayoutInput): Float32Array {
  const degrees = new Uint32Array(groups.length);
  for (const end of edges) degrees[end] = (degrees[end] ?? 0) + 1;
  const all = new Float32Array((groups.length + edges.length / 2) * EDGE_STRIDE);
  let offset = 0;
  const put = (from: number, to: number, weight: number): void => {
    all.set([from * NODE_STRIDE, to * NODE_STRIDE, weight], offset);
    offset += EDGE_STRIDE;
  };
  groups.forEach((group, index) => put(index, groups.length + group, HUB_PULL));
  for (let index = 0; index < edges.length; index += 2) {
    const from = edges[index] ?? 0;
    const to = edges[index + 1] ?? 0;
    // In a mesh, all edges together pull less than the hub.
    const degree = Math.max(degrees[from] ?? 1, degrees[to] ?? 1);
    put(from, to, (EDGE_PULL / degree) * Math.min(1, 3 / degree));
  }
  return all;
}
