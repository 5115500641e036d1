/** What a JSON value is made of, with what several values of one place have in common. */
interface Shape {
  readonly types: ReadonlySet<string>;
  readonly keys: ReadonlyMap<string, Shape>;
  /** Keys that every object of this place has. */
  readonly required: ReadonlySet<string>;
  /** `null`: no array of this place had an element. */
  readonly element: Shape | null;
}

export function shapeOf(value: unknown): Shape {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  return {
    types: new Set([type]),
    keys: new Map(entries.map(([key, child]) => [key, shapeOf(child)])),
    required: new Set(entries.map(([key]) => key)),
    element: Array.isArray(value) ? merge(value.map(shapeOf)) : null,
  };
}

function merge(shapes: readonly Shape[]): Shape | null {
  return shapes.reduce<Shape | null>((a, b) => (a === null ? b : both(a, b)), null);
}

function both(a: Shape, b: Shape): Shape {
  const keys = new Map(a.keys);
  for (const [key, shape] of b.keys) {
    const known = keys.get(key);
    keys.set(key, known === undefined ? shape : both(known, shape));
  }
  return {
    types: new Set([...a.types, ...b.types]),
    keys,
    required: new Set([...a.required].filter((key) => b.required.has(key))),
    element: merge([a.element, b.element].filter((shape) => shape !== null)),
  };
}

/**
 * What of `actual` does not have the shape of `expected`; empty when all has.
 * Where `expected` has `null` or an empty array, nothing is known, and anything passes.
 * @param maps paths of objects whose keys are data: their values are held to one another's shape
 */
export function differences(expected: unknown, actual: unknown, maps: readonly string[] = []): string[] {
  return compare(shapeOf(expected), shapeOf(actual), '', new Set(maps));
}

function compare(expected: Shape, actual: Shape, path: string, maps: ReadonlySet<string>): string[] {
  if (expected.types.has('null') && expected.types.size === 1) return [];
  const wrong = [...actual.types].filter((type) => !expected.types.has(type));
  if (wrong.length > 0) return [`${path}: ${wrong.join()} instead of ${[...expected.types].join()}`];
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  if (maps.has(path)) {
    const [one, other] = [merge([...expected.keys.values()]), merge([...actual.keys.values()])];
    return one === null || other === null ? [`${path}: empty`] : compare(one, other, at('*'), maps);
  }
  const missing = [...expected.required].filter((key) => !actual.required.has(key)).map((key) => `${at(key)}: missing`);
  const children = [...actual.keys].flatMap(([key, shape]) => {
    const known = expected.keys.get(key);
    return known === undefined ? [`${at(key)}: unknown`] : compare(known, shape, at(key), maps);
  });
  if (expected.element === null) return [...missing, ...children];
  if (actual.element === null) {
    return actual.types.has('array') ? [...missing, ...children, `${path}: empty`] : [...missing, ...children];
  }
  return [...missing, ...children, ...compare(expected.element, actual.element, `${path}[]`, maps)];
}
