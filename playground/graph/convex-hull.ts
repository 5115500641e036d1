export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Returns the corners of the convex hull, counterclockwise. Returns the distinct points if there are fewer than 3. */
export function convexHull(points: readonly Point[]): readonly Point[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  const distinct = sorted.filter((point, index) => {
    const before = sorted[index - 1];
    return before?.x !== point.x || before.y !== point.y;
  });
  if (distinct.length < 3) return distinct;
  const lower = chain(distinct);
  const upper = chain(distinct.reverse());
  return [...lower.slice(0, -1), ...upper.slice(0, -1)];
}

function chain(points: readonly Point[]): Point[] {
  const corners: Point[] = [];
  for (const point of points) {
    for (;;) {
      const last = corners.at(-1);
      const before = corners.at(-2);
      if (last === undefined || before === undefined || turn(before, last, point) > 0) break;
      corners.pop();
    }
    corners.push(point);
  }
  return corners;
}

/** Returns a positive number if `c` is on the left of the line from `a` to `b`. */
function turn(a: Point, b: Point, c: Point): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}
