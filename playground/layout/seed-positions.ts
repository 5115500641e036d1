import type { Point } from '../graph/convex-hull.js';
import { SPACING } from './force-layout.js';

const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

/** Returns the nth position around a center in a sunflower pattern, which is even and without gaps. */
export function sunflowerPosition(center: Point, nth: number): Point {
  const radius = SPACING * 0.58 * Math.sqrt(nth + 0.4);
  return { x: center.x + radius * Math.cos(nth * GOLDEN_ANGLE), y: center.y + radius * Math.sin(nth * GOLDEN_ANGLE) };
}

/** Returns the radius of a group with this number of agents. */
export function groupRadius(count: number): number {
  return SPACING * 0.58 * Math.sqrt(count) + SPACING;
}

/** Returns centers for groups of these sizes: the largest in the middle, without overlap. Deterministic. */
export function groupCenters(sizes: readonly number[]): readonly Point[] {
  const order = sizes.map((size, index) => ({ size, index })).sort((a, b) => b.size - a.size || a.index - b.index);
  const placed: { readonly center: Point; readonly radius: number; readonly index: number }[] = [];
  for (const { size, index } of order) {
    const radius = groupRadius(size);
    placed.push({ center: findFreeCenter(placed, radius), radius, index });
  }
  return placed.sort((a, b) => a.index - b.index).map(({ center }) => center);
}

/** Returns the first point on an outward spiral where a disc of this radius touches no other disc. */
export function findFreeCenter(
  taken: readonly { readonly center: Point; readonly radius: number }[],
  radius: number,
): Point {
  for (let turn = 0; ; turn += 1) {
    const distance = radius * 0.35 * Math.sqrt(turn);
    const angle = turn * GOLDEN_ANGLE;
    const center = { x: distance * Math.cos(angle), y: distance * Math.sin(angle) };
    const isFree = taken.every(
      (other) =>
        Math.hypot(other.center.x - center.x, other.center.y - center.y) >= other.radius + radius + SPACING / 2,
    );
    if (isFree) return center;
  }
}
