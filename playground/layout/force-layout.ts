import iterate from 'graphology-layout-forceatlas2/iterate.js';

/** Numbers of a node and of an edge in the matrices of ForceAtlas2; an edge names its ends by their offsets. */
const NODE_STRIDE = 10;
const EDGE_STRIDE = 3;
const MASS = 6;
const CONVERGENCE = 7;
const SIZE = 8;

/** Agents of one group lie about this far apart. */
export const SPACING = 40;

/**
 * Repulsion falls with the distance and attraction to the hub grows with it: agents fill a disc evenly, π·REPULSION each.
 * Gravity does the same to the groups, more weakly, so that there is room between them.
 */
const REPULSION = SPACING ** 2 / Math.PI;
const GRAVITY = 0.3;
const HUB_PULL = 0.6;
const EDGE_PULL = 1.4;

/** From so many nodes on, far ones are taken together. */
const MANY_NODES = 300;

export interface LayoutInput {
  /** Where the nodes are, x and y of each. */
  readonly positions: Float32Array;
  /** The group of each node, from 0 on without gaps. */
  readonly groups: Uint32Array;
  /** Pairs of nodes. */
  readonly edges: Uint32Array;
}

/** ForceAtlas2 over the agents, each drawn to the hub of its group, which nobody sees. */
export class ForceLayout {
  readonly #count: number;
  readonly #nodes: Float32Array;
  readonly #edges: Float32Array;
  #iterations: number;

  /** @param madeSteps it is as calm as after so many */
  constructor(input: LayoutInput, madeSteps = 0) {
    this.#iterations = madeSteps;
    this.#count = input.groups.length;
    this.#nodes = nodesOf(input);
    this.#edges = edgesOf(input);
  }

  /** One step. @returns the mean way of an agent, which falls to nothing as it settles */
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
        // What swings is calmed in the end.
        slowDown: 0.5 + this.#iterations / 60,
        barnesHutOptimize: this.#count > MANY_NODES,
        barnesHutTheta: 0.8,
      },
      this.#nodes,
      this.#edges,
    );
    const after = this.positions();
    let way = 0;
    for (let index = 0; index < after.length; index += 2)
      way += Math.hypot((after[index] ?? 0) - (before[index] ?? 0), (after[index + 1] ?? 0) - (before[index + 1] ?? 0));
    return this.#count === 0 ? 0 : way / this.#count;
  }

  /** x and y of each agent. */
  positions(): Float32Array<ArrayBuffer> {
    const positions = new Float32Array(this.#count * 2);
    for (let index = 0; index < this.#count; index += 1) {
      positions[index * 2] = this.#nodes[index * NODE_STRIDE] ?? 0;
      positions[index * 2 + 1] = this.#nodes[index * NODE_STRIDE + 1] ?? 0;
    }
    return positions;
  }
}

/** The agents, then a hub for each group in the middle of it. */
function nodesOf({ positions, groups }: LayoutInput): Float32Array {
  const middles = middlesOf(positions, groups);
  const nodes = new Float32Array((groups.length + middles.length) * NODE_STRIDE);
  const put = (index: number, x: number, y: number): void => {
    const start = index * NODE_STRIDE;
    nodes[start] = x;
    nodes[start + 1] = y;
    nodes[start + MASS] = 1;
    nodes[start + CONVERGENCE] = 1;
    nodes[start + SIZE] = 1;
  };
  groups.forEach((_group, index) => put(index, positions[index * 2] ?? 0, positions[index * 2 + 1] ?? 0));
  middles.forEach(({ x, y }, group) => put(groups.length + group, x, y));
  return nodes;
}

function middlesOf(positions: Float32Array, groups: Uint32Array): { x: number; y: number }[] {
  const sums: { x: number; y: number; count: number }[] = [];
  groups.forEach((group, index) => {
    const sum = (sums[group] ??= { x: 0, y: 0, count: 0 });
    sum.x += positions[index * 2] ?? 0;
    sum.y += positions[index * 2 + 1] ?? 0;
    sum.count += 1;
  });
  // A little beside the middle: two nodes in one place would not know where to.
  return sums.map(({ x, y, count }) => ({ x: x / count + 0.5, y: y / count + 0.25 }));
}

function edgesOf({ groups, edges }: LayoutInput): Float32Array {
  const degrees = new Uint32Array(groups.length);
  for (const end of edges) degrees[end] = (degrees[end] ?? 0) + 1;
  const all = new Float32Array((groups.length + edges.length / 2) * EDGE_STRIDE);
  let at = 0;
  const put = (from: number, to: number, weight: number): void => {
    all.set([from * NODE_STRIDE, to * NODE_STRIDE, weight], at);
    at += EDGE_STRIDE;
  };
  groups.forEach((group, index) => put(index, groups.length + group, HUB_PULL));
  for (let index = 0; index < edges.length; index += 2) {
    const from = edges[index] ?? 0;
    const to = edges[index + 1] ?? 0;
    // In a mesh everybody pulls at everybody: together less than the hub does.
    const degree = Math.max(degrees[from] ?? 1, degrees[to] ?? 1);
    put(from, to, (EDGE_PULL / degree) * Math.min(1, 3 / degree));
  }
  return all;
}
