import type { Agent } from '@swarmlens/client';
import { groupKey } from '../graph/groups.js';
import { sortKey } from '../ui/labels.js';
import type { AgentMatcher } from './agent-filter.js';
import { compareKeys, type OrderKey, orderKeyOf } from './agent-order.js';
import type { SortOrder } from './view-state.js';

interface RowPosition {
  /** Key of the row: the id of the agent, or `group ` and the id of the group. */
  readonly key: string;
  /** Number of rows above it in the tree. */
  readonly depth: number;
  /** Key of the row above it in the tree. */
  readonly parentKey: string | null;
  /** Number of matching agents below it. */
  readonly below: number;
  readonly isExpanded: boolean;
}

/** Row of the list of agents. */
export type TreeRow = RowPosition &
  (
    | {
        readonly kind: 'agent';
        readonly agent: Agent;
        /** Whether the agent matches the filters. Others are shown because an agent below them matches. */
        readonly isMatch: boolean;
      }
    | { readonly kind: 'group'; readonly groupId: string }
  );

export interface TreeOptions {
  readonly matches: AgentMatcher;
  readonly sort: SortOrder;
  readonly isFlat: boolean;
  /** Keys of rows whose children are hidden. */
  readonly collapsed: ReadonlySet<string>;
}

export interface AgentTree {
  readonly rows: readonly TreeRow[];
  /** Number of matching agents, also of those in collapsed rows. */
  readonly matching: number;
}

interface TreeNode {
  readonly key: string;
  readonly agent: Agent | null;
  readonly groupId: string;
  readonly children: TreeNode[];
  /** Order of the first agent in the subtree, so that an urgent subagent moves its session up. */
  order: OrderKey;
  matching: number;
  readonly isMatch: boolean;
}

export function groupRowKey(groupId: string): string {
  return `group ${groupId}`;
}

/**
 * Arranges agents below the agents that started them. Agents of one swarm without a known parent share a group row. Agents
 * that do not match are included only above those that do.
 */
export function buildAgentTree(agents: ReadonlyMap<string, Agent>, options: TreeOptions): AgentTree {
  const { matches, sort, isFlat, collapsed } = options;
  const matching = [...agents.values()].filter(matches);
  const nodes = new Map<string, TreeNode>();
  const createNode = (agent: Agent, isMatch: boolean): TreeNode => {
    const order = orderKeyOf(agent, sort);
    const groupId = groupKey(agent);
    const node = { key: agent.id, agent, groupId, children: [], order, matching: Number(isMatch), isMatch };
    nodes.set(agent.id, node);
    return node;
  };
  for (const agent of matching) createNode(agent, true);
  let top = [...nodes.values()];
  if (!isFlat) {
    for (const agent of matching) addAncestors(agent, agents, nodes, createNode);
    top = groupRoots(linkChildren(nodes), countRoots(agents));
  }
  const sorted = sortSubtrees(top);
  return { rows: listRows(sorted, collapsed), matching: matching.length };
}

/** Returns the keys of the rows above an agent. */
export function listAncestorKeys(agentId: string, agents: ReadonlyMap<string, Agent>): readonly string[] {
  const keys = new Set<string>();
  let agent = agents.get(agentId);
  while (agent !== undefined) {
    keys.add(groupRowKey(groupKey(agent)));
    const parent = parentOf(agent, agents);
    if (parent === undefined || keys.has(parent.id)) break;
    keys.add(parent.id);
    agent = parent;
  }
  keys.delete(agentId);
  return [...keys];
}

function parentOf({ parentId }: Agent, agents: ReadonlyMap<string, Agent>): Agent | undefined {
  return parentId === null ? undefined : agents.get(parentId);
}

function addAncestors(
  agent: Agent,
  agents: ReadonlyMap<string, Agent>,
  nodes: ReadonlyMap<string, TreeNode>,
  create: (agent: Agent, isMatch: boolean) => TreeNode,
): void {
  let parent = parentOf(agent, agents);
  while (parent !== undefined && !nodes.has(parent.id)) {
    create(parent, false);
    parent = parentOf(parent, agents);
  }
}

/** Adds each node to the children of its parent, and returns the others. Cuts cycles, which only a faulty server reports. */
function linkChildren(nodes: ReadonlyMap<string, TreeNode>): TreeNode[] {
  const roots: TreeNode[] = [];
  for (const node of nodes.values()) (nodeAbove(node, nodes)?.children ?? roots).push(node);
  const reached = new Set<TreeNode>();
  for (const root of roots) reach(root, reached);
  for (const node of nodes.values()) {
    if (reached.has(node)) continue;
    const cut = findCycle(node, nodes);
    const siblings = nodeAbove(cut, nodes)?.children ?? [];
    siblings.splice(siblings.indexOf(cut), 1);
    roots.push(cut);
    reach(cut, reached);
  }
  return roots;
}

function nodeAbove({ agent }: TreeNode, nodes: ReadonlyMap<string, TreeNode>): TreeNode | undefined {
  return agent?.parentId == null ? undefined : nodes.get(agent.parentId);
}

/** Adds a node and all nodes below it. */
function reach(root: TreeNode, reached: Set<TreeNode>): void {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    stack.push(...node.children);
  }
}

/** Returns a node of the cycle that the parents of a node lead into. */
function findCycle(start: TreeNode, nodes: ReadonlyMap<string, TreeNode>): TreeNode {
  const seen = new Set<TreeNode>();
  let node = start;
  while (!seen.has(node)) {
    seen.add(node);
    node = nodeAbove(node, nodes) ?? node;
  }
  return node;
}

/** Counts the agents without a visible parent in each group. */
function countRoots(agents: ReadonlyMap<string, Agent>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const agent of agents.values()) {
    if (parentOf(agent, agents) !== undefined) continue;
    const key = groupKey(agent);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Puts the roots of groups with several roots below a row of their group. */
function groupRoots(roots: readonly TreeNode[], counts: ReadonlyMap<string, number>): TreeNode[] {
  const groups = new Map<string, TreeNode>();
  const top: TreeNode[] = [];
  for (const root of roots) {
    const { groupId } = root;
    if ((counts.get(groupId) ?? 0) < 2) {
      top.push(root);
      continue;
    }
    let node = groups.get(groupId);
    if (node === undefined) {
      const order = { value: root.order.value, text: sortKey(groupId) };
      node = { key: groupRowKey(groupId), agent: null, groupId, children: [], order, matching: 0, isMatch: false };
      groups.set(groupId, node);
      top.push(node);
    }
    node.children.push(root);
  }
  return top;
}

/** Sorts all subtrees by their first agent, from the leaves to the top. */
function sortSubtrees(top: TreeNode[]): readonly TreeNode[] {
  const all: TreeNode[] = [...top];
  // The loop also visits the nodes that it adds.
  for (const node of all) all.push(...node.children);
  for (const node of all.reverse()) {
    for (const child of node.children) {
      node.matching += child.matching;
      if (compareValues(child.order, node.order) < 0) node.order = { ...child.order, text: node.order.text };
    }
    node.children.sort((a, b) => compareKeys(a.order, b.order));
  }
  return top.sort((a, b) => compareKeys(a.order, b.order));
}

function compareValues(a: OrderKey, b: OrderKey): number {
  return a.value === b.value ? 0 : a.value < b.value ? -1 : 1;
}

function listRows(top: readonly TreeNode[], collapsed: ReadonlySet<string>): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  const stack = [...top].reverse().map((node) => ({ node, depth: 0, parentKey: null as string | null })); // null or a key
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { node, depth, parentKey } = entry;
    const { key, agent, groupId, isMatch } = node;
    const isExpanded = !collapsed.has(key);
    const position = { key, depth, parentKey, isExpanded, below: node.matching - Number(isMatch) };
    rows.push(
      agent === null ? { ...position, kind: 'group', groupId } : { ...position, kind: 'agent', agent, isMatch },
    );
    if (!isExpanded) continue;
    for (const child of [...node.children].reverse()) stack.push({ node: child, depth: depth + 1, parentKey: key });
  }
  return rows;
}
