import type { Point } from '../graph/convex-hull.js';
import { SPACING } from './force-layout.js';

const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

/** The place of the nth of many around a middle: as the seeds of a sunflower lie, evenly and without gaps. */
export function sunflowerPosition(middle: Point, nth: number): Point {
  const radius = SPACING * 0.58 * Math.sqrt(nth + 0.4);
  return { x: middle.x + radius * Math.cos(nth * GOLDEN_ANGLE), y: middle.y + radius * Math.sin(nth * GOLDEN_ANGLE) };
}

/** The radius of a group of so many. */
export function groupRadius(count: number): number {
  return SPACING * 0.58 * Math.sqrt(count) + SPACING;
}

/** Middles for groups of these sizes, largest in the centre, none over another. The same sizes give the same middles. */
export function groupCenters(sizes: readonly number[]): readonly Point[] {
  const order = sizes.map((size, index) => ({ size, index })).sort((a, b) => b.size - a.size || a.index - b.index);
  const placed: { readonly middle: Point; readonly radius: number; readonly index: number }[] = [];
  for (const { size, index } of order) {
    const radius = groupRadius(size);
    placed.push({ middle: findFreeCenter(placed, radius), radius, index });
  }
  return placed.sort((a, b) => a.index - b.index).map(({ middle }) => middle);
}

/** The first place on a spiral outwards where a disc of this radius touches none of those that are there. */
export function findFreeCenter(
  taken: readonly { readonly middle: Point; readonly radius: number }[],
  radius: number,
): Point {
  for (let turn = 0; ; turn += 1) {
    const distance = radius * 0.35 * Math.sqrt(turn);
    const angle = turn * GOLDEN_ANGLE;
    const middle = { x: distance * Math.cos(angle), y: distance * Math.sin(angle) };
    const isFree = taken.every(
      (other) =>
        Math.hypot(other.middle.x - middle.x, other.middle.y - middle.y) >= other.radius + radius + SPACING / 2,
    );
    if (isFree) return middle;
  }
}
