import type { Agent } from '@swarmlens/client';
import { findFreeCenter, groupCenters, groupRadius, sunflowerPosition } from '../layout/seed-positions.js';
import { groupKey } from './groups.js';
import type { Point } from './convex-hull.js';
import type { GraphNode } from './graph-node.js';

/** Returns positions of new agents: next to their group, or in free space for new groups. */
export function initialPositions(
  agents: readonly Agent[],
  nodes: Iterable<Pick<GraphNode, 'group' | 'target'>>,
): readonly (readonly [Agent, Point])[] {
  const known = new Map<string, { x: number; y: number; count: number }>();
  for (const { group, target } of nodes) {
    const sum = known.get(group) ?? { x: 0, y: 0, count: 0 };
    known.set(group, { x: sum.x + target.x, y: sum.y + target.y, count: sum.count + 1 });
  }
  const groups = new Map<string, { center: Point; radius: number; taken: number }>();
  for (const [group, { x, y, count }] of known)
    groups.set(group, { center: { x: x / count, y: y / count }, radius: groupRadius(count), taken: count });
  const sizes = new Map<string, number>();
  for (const agent of agents) sizes.set(groupKey(agent), (sizes.get(groupKey(agent)) ?? 0) + 1);
  const unknown = [...sizes].filter(([group]) => !groups.has(group));
  const newCenters = groups.size === 0 ? groupCenters(unknown.map(([, size]) => size)) : [];
  unknown.forEach(([group, size], index) => {
    const radius = groupRadius(size);
    const center = newCenters[index] ?? findFreeCenter([...groups.values()], radius);
    groups.set(group, { center, radius, taken: 0 });
  });
  return agents.map((agent) => {
    const group = groups.get(groupKey(agent));
    if (group === undefined) return [agent, { x: 0, y: 0 }];
    group.taken += 1;
    return [agent, sunflowerPosition(group.center, group.taken - 1)];
  });
}
