import { z } from 'zod';

const object = z.record(z.string(), z.unknown());

/** Numbers that are different each time: only that they are numbers is compared. */
const VARYING: ReadonlySet<string> = new Set(['retryAfterMs']);

/** What `<name>` in a documented message stands for: different each time, the same wherever it stands. */
export class Placeholders {
  readonly #values = new Map<string, string>();

  /** What differs between a message and the documented one, each with its place; none: it is as documented. */
  differences(documented: unknown, real: unknown, place = ''): readonly string[] {
    if (typeof documented === 'string' && typeof real === 'string') {
      return this.#fits(documented, real) ? [] : [`${place}: ${JSON.stringify(real)}, documented is "${documented}"`];
    }
    if (Array.isArray(documented) && Array.isArray(real) && documented.length === real.length) {
      return documented.flatMap((one, index) => this.differences(one, real[index], `${place}/${index}`));
    }
    const [expected, found] = [object.safeParse(documented), object.safeParse(real)];
    if (expected.success && found.success) return this.#inObject(expected.data, found.data, place);
    if (documented === real) return [];
    const key = place.slice(place.lastIndexOf('/') + 1);
    if (VARYING.has(key) && typeof documented === typeof real) return [];
    return [`${place}: ${JSON.stringify(real)}, documented is ${JSON.stringify(documented)}`];
  }

  /** A documented message with what its placeholders stand for. @throws when one of them has not come up yet */
  filled(documented: string): string {
    return documented.replace(/<[^<>]+>/g, (name) => {
      const value = this.#values.get(name);
      if (value === undefined) throw new Error(`${name} has not come from the server`);
      return value;
    });
  }

  #inObject(documented: Record<string, unknown>, real: Record<string, unknown>, place: string): readonly string[] {
    const keys = new Set([...Object.keys(documented), ...Object.keys(real)]);
    return [...keys].flatMap((key) => {
      if (key in documented) return this.differences(documented[key], real[key], `${place}/${key}`);
      return place.endsWith('/extensions') ? [] : [`${place}/${key} is not documented`];
    });
  }

  #fits(documented: string, real: string): boolean {
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
