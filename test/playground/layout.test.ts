import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { convexHull } from '../../playground/graph/convex-hull.js';
import { ForceLayout, type LayoutInput } from '../../playground/layout/force-layout.js';
import { groupCenters, groupRadius, sunflowerPosition } from '../../playground/layout/seed-positions.js';
import { runs } from '../support/fuzz-inputs.js';

describe('seed positions', () => {
  test('for any group sizes: groups do not overlap', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 12 }), (sizes) => {
        const centers = groupCenters(sizes);
        centers.forEach((center, index) =>
          centers.slice(index + 1).forEach((other, behind) => {
            const minDistance = groupRadius(sizes[index] ?? 0) + groupRadius(sizes[index + 1 + behind] ?? 0);
            expect(Math.hypot(center.x - other.x, center.y - other.y)).toBeGreaterThanOrEqual(minDistance);
          }),
        );
      }),
      runs(30),
    );
  });

  test('keep members within the radius of their group', () => {
    for (const count of [1, 2, 50, 5_000])
      for (let nth = 0; nth < count; nth += 7) {
        const { x, y } = sunflowerPosition({ x: 0, y: 0 }, nth);
        expect(Math.hypot(x, y)).toBeLessThanOrEqual(groupRadius(count));
      }
  });
});

/** Creates groups of these sizes, each around its center. */
function createInput(sizes: readonly number[], edges: readonly number[] = []): LayoutInput {
  const centers = groupCenters(sizes);
  const seeds = sizes.flatMap((size, group) =>
    Array.from({ length: size }, (_, nth) => ({ group, ...sunflowerPosition(centers[group] ?? { x: 0, y: 0 }, nth) })),
  );
  return {
    positions: new Float32Array(seeds.flatMap(({ x, y }) => [x, y])),
    groups: new Uint32Array(seeds.map(({ group }) => group)),
    edges: new Uint32Array(edges),
  };
}

function settle(input: LayoutInput, maxSteps: number): { layout: ForceLayout; distance: number } {
  const layout = new ForceLayout(input);
  let distance = Number.POSITIVE_INFINITY;
  for (let step = 0; step < maxSteps && distance > 0.12; step += 1) distance = layout.step();
  return { layout, distance };
}

describe('ForceLayout', () => {
  test('separates groups and keeps agents apart', () => {
    const input = createInput([12, 30, 8]);
    const positions = settle(input, 400).layout.positions();
    const points = [...input.groups].map((group, index) => ({
      group,
      x: positions[index * 2] ?? 0,
      y: positions[index * 2 + 1] ?? 0,
    }));
    const centers = [0, 1, 2].map((group) => {
      const members = points.filter((point) => point.group === group);
      return {
        x: members.reduce((sum, { x }) => sum + x, 0) / members.length,
        y: members.reduce((sum, { y }) => sum + y, 0) / members.length,
      };
    });
    for (const point of points) {
      const distances = centers.map(({ x, y }) => Math.hypot(point.x - x, point.y - y));
      expect(distances.indexOf(Math.min(...distances))).toBe(point.group);
      for (const other of points)
        if (other !== point) expect(Math.hypot(point.x - other.x, point.y - other.y)).toBeGreaterThan(8);
    }
  });

  test('settles, and pulls the ends of an edge together', () => {
    const ends = [0, 19] as const;
    const endDistance = (input: LayoutInput): number => {
      const { layout, distance } = settle(input, 600);
      expect(distance).toBeLessThan(1);
      const positions = layout.positions();
      const [ax = 0, ay = 0] = positions.subarray(ends[0] * 2);
      const [bx = 0, by = 0] = positions.subarray(ends[1] * 2);
      return Math.hypot(ax - bx, ay - by);
    };
    expect(endDistance(createInput([20], ends))).toBeLessThan(endDistance(createInput([20])));
  });

  test('accepts an empty graph', () => {
    const layout = new ForceLayout(createInput([]));
    expect(layout.step()).toBe(0);
    expect(layout.positions()).toHaveLength(0);
  });

  test('keeps positions finite for many agents', () => {
    const layout = new ForceLayout(createInput([700, 300]));
    for (let step = 0; step < 5; step += 1) layout.step();
    expect([...layout.positions()].every(Number.isFinite)).toBe(true);
  });
});

describe('convexHull', () => {
  test('for any points: every point is inside, and every corner is one of them', () => {
    const point = fc.record({ x: fc.integer({ min: -50, max: 50 }), y: fc.integer({ min: -50, max: 50 }) });
    fc.assert(
      fc.property(fc.array(point, { minLength: 3, maxLength: 40 }), (points) => {
        const hull = convexHull(points);
        for (const corner of hull) expect(points).toContain(corner);
        if (hull.length < 3) return;
        hull.forEach((a, index) => {
          const b = hull[(index + 1) % hull.length] ?? a;
          for (const { x, y } of points)
            expect((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)).toBeGreaterThanOrEqual(0);
        });
      }),
    );
  });

  test('returns one corner for one position', () => {
    expect(convexHull([{ x: 1, y: 2 }])).toEqual([{ x: 1, y: 2 }]);
    expect(
      convexHull([
        { x: 1, y: 2 },
        { x: 1, y: 2 },
      ]),
    ).toHaveLength(1);
  });
});
