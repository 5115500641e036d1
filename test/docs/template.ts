import { z } from 'zod';

const object = z.record(z.string(), z.unknown());

/** Keys of numbers that vary between runs. Only their type is compared. */
const VARYING: ReadonlySet<string> = new Set(['retryAfterMs', 'effectiveHz']);

/** Values of the placeholders `<name>` in documented messages. They vary between runs, but each has one value per run. */
export class Placeholders {
  readonly #values = new Map<string, string>();

  /** Returns the differences between a message and the documented one, each with its JSON pointer. */
  differences(documented: unknown, real: unknown, path = ''): readonly string[] {
    if (typeof documented === 'string' && typeof real === 'string') {
      return this.#matches(documented, real) ? [] : [`${path}: ${JSON.stringify(real)}, documented is "${documented}"`];
    }
    if (Array.isArray(documented) && Array.isArray(real) && documented.length === real.length) {
      return documented.flatMap((one, index) => this.differences(one, real[index], `${path}/${index}`));
    }
    const [expected, found] = [object.safeParse(documented), object.safeParse(real)];
    if (expected.success && found.success) return this.#inObject(expected.data, found.data, path);
    if (documented === real) return [];
    const key = path.slice(path.lastIndexOf('/') + 1);
    if (VARYING.has(key) && typeof documented === typeof real) return [];
    return [`${path}: ${JSON.stringify(real)}, documented is ${JSON.stringify(documented)}`];
  }

  /**
   * Returns a documented message with the values of its placeholders.
   * @throws if a placeholder has no value yet
   */
  fill(documented: string): string {
    return documented.replace(/<[^<>]+>/g, (name) => {
      const value = this.#values.get(name);
      if (value === undefined) throw new Error(`${name} has not been received from the server`);
      return value;
    });
  }

  #inObject(documented: Record<string, unknown>, real: Record<string, unknown>, path: string): readonly string[] {
    const keys = new Set([...Object.keys(documented), ...Object.keys(real)]);
    return [...keys].flatMap((key) => {
      if (key in documented) return this.differences(documented[key], real[key], `${path}/${key}`);
      return path.endsWith('/extensions') ? [] : [`${path}/${key} is not documented`];
    });
  }

  #matches(documented: string, real: string): boolean {
    const names = documented.match(/<[^<>]+>/g) ?? [];
    const pattern = documented.split(/<[^<>]+>/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const found = new RegExp(`^${pattern.join('(.+)')}$`).exec(real);
    if (found === null) return false;
    return names.every((name, index) => {
      const value = found[index + 1] ?? '';
      const known = this.#values.get(name) ?? value;
      this.#values.set(name, known);
      return known === value;
    });
  }
}
