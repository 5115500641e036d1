/** Shape of a JSON value, merged over all values at the same path. */
interface Shape {
  readonly types: ReadonlySet<string>;
  readonly keys: ReadonlyMap<string, Shape>;
  /** Keys that every object at this path has. */
  readonly required: ReadonlySet<string>;
  /** Shape of the elements. Null if no array at this path had an element. */
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
 * Returns the differences between the shape of `actual` and `expected`. A null value or empty array in `expected` matches
 * everything.
 * @param maps paths of objects whose keys are data, so that only the values are compared
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
