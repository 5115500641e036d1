import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hullOf } from '../../playground/graph/hull.js';
import { Forces, type LayoutInput } from '../../playground/layout/forces.js';
import { middlesFor, radiusOf, seedAround } from '../../playground/layout/seeds.js';
import { runs } from '../support/hostile.js';

describe('seeds', () => {
  test('groups of any sizes have room beside each other', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 12 }), (sizes) => {
        const middles = middlesFor(sizes);
        middles.forEach((one, index) =>
          middles.slice(index + 1).forEach((other, behind) => {
            const apart = radiusOf(sizes[index] ?? 0) + radiusOf(sizes[index + 1 + behind] ?? 0);
            expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThanOrEqual(apart);
          }),
        );
      }),
      runs(30),
    );
  });

  test('members lie within the radius of their group', () => {
    for (const count of [1, 2, 50, 5_000])
      for (let nth = 0; nth < count; nth += 7) {
        const { x, y } = seedAround({ x: 0, y: 0 }, nth);
        expect(Math.hypot(x, y)).toBeLessThanOrEqual(radiusOf(count));
      }
  });
});

/** Groups of these sizes, each around its middle. */
function inputOf(sizes: readonly number[], edges: readonly number[] = []): LayoutInput {
  const middles = middlesFor(sizes);
  const places = sizes.flatMap((size, group) =>
    Array.from({ length: size }, (_, nth) => ({ group, ...seedAround(middles[group] ?? { x: 0, y: 0 }, nth) })),
  );
  return {
    positions: new Float32Array(places.flatMap(({ x, y }) => [x, y])),
    groups: new Uint32Array(places.map(({ group }) => group)),
    edges: new Uint32Array(edges),
  };
}

function settled(input: LayoutInput, maxSteps: number): { forces: Forces; way: number } {
  const forces = new Forces(input);
  let way = Number.POSITIVE_INFINITY;
  for (let step = 0; step < maxSteps && way > 0.12; step += 1) way = forces.step();
  return { forces, way };
}

describe('Forces', () => {
  test('agents of a group end nearer to each other than to another group, and none upon another', () => {
    const input = inputOf([12, 30, 8]);
    const positions = settled(input, 400).forces.positions();
    const points = [...input.groups].map((group, index) => ({
      group,
      x: positions[index * 2] ?? 0,
      y: positions[index * 2 + 1] ?? 0,
    }));
    const middles = [0, 1, 2].map((group) => {
      const members = points.filter((point) => point.group === group);
      return {
        x: members.reduce((sum, { x }) => sum + x, 0) / members.length,
        y: members.reduce((sum, { y }) => sum + y, 0) / members.length,
      };
    });
    for (const point of points) {
      const distances = middles.map(({ x, y }) => Math.hypot(point.x - x, point.y - y));
      expect(distances.indexOf(Math.min(...distances))).toBe(point.group);
      for (const other of points)
        if (other !== point) expect(Math.hypot(point.x - other.x, point.y - other.y)).toBeGreaterThan(8);
    }
  });

  test('it settles, and an edge draws its ends together', () => {
    const ends = [0, 19] as const;
    const between = (input: LayoutInput): number => {
      const { forces, way } = settled(input, 600);
      expect(way).toBeLessThan(1);
      const positions = forces.positions();
      const [ax = 0, ay = 0] = positions.subarray(ends[0] * 2);
      const [bx = 0, by = 0] = positions.subarray(ends[1] * 2);
      return Math.hypot(ax - bx, ay - by);
    };
    expect(between(inputOf([20], ends))).toBeLessThan(between(inputOf([20])));
  });

  test('nothing to lay out is laid out', () => {
    const forces = new Forces(inputOf([]));
    expect(forces.step()).toBe(0);
    expect(forces.positions()).toHaveLength(0);
  });

  test('many agents keep finite places', () => {
    const forces = new Forces(inputOf([700, 300]));
    for (let step = 0; step < 5; step += 1) forces.step();
    expect([...forces.positions()].every(Number.isFinite)).toBe(true);
  });
});

describe('hullOf', () => {
  test('every point is inside, and every corner is one of them', () => {
    const point = fc.record({ x: fc.integer({ min: -50, max: 50 }), y: fc.integer({ min: -50, max: 50 }) });
    fc.assert(
      fc.property(fc.array(point, { minLength: 3, maxLength: 40 }), (points) => {
        const hull = hullOf(points);
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

  test('one place is one corner', () => {
    expect(hullOf([{ x: 1, y: 2 }])).toEqual([{ x: 1, y: 2 }]);
    expect(
      hullOf([
        { x: 1, y: 2 },
        { x: 1, y: 2 },
      ]),
    ).toHaveLength(1);
  });
});
