import type { z } from 'zod';
import type { FieldSource, ListSource } from '../../adapters/index.js';
import { compilePattern } from '../../shared/patterns/index.js';
import { didYouMean } from '../issues.js';

/** Source whose fields refer to its entries, and to what belongs to them. */
export interface Referable {
  readonly source: Pick<ListSource, 'path' | 'shape' | 'pattern'>;
  /** Names of the joins. */
  readonly joins: readonly string[];
  readonly hasDetail: boolean;
  /** Whether the fields are read before the joins and the detail. @default false */
  readonly isEarly?: boolean;
}

/** Reports each reference to something that does not exist, with the path of its field. */
export function checkReferences(
  context: z.RefinementCtx,
  fields: readonly (readonly [readonly PropertyKey[], FieldSource | undefined])[],
  referable: Referable,
): void {
  for (const [path, field] of fields) {
    const problem = field === undefined ? null : findProblem(field, referable);
    if (problem !== null) context.addIssue({ code: 'custom', path: [...path], message: problem });
  }
}

/** Returns what is wrong with the references of a field. Null if they exist. */
export function findProblem(field: FieldSource, referable: Referable): string | null {
  switch (field.from) {
    case 'value':
      return null;
    case 'key':
      return levelProblem(field.up ?? 0, referable);
    case 'template':
      return firstProblem(
        field.template.parts.flatMap((part) => (typeof part === 'string' ? [] : [part])),
        referable,
      );
    case 'first':
      return firstProblem(field.sources, referable);
    case 'path': {
      const { base = 'entry', up = 0 } = field.path;
      if (referable.isEarly === true && (base === 'detail' || typeof base === 'object'))
        return `"${field.path.text}" cannot be used here, because the joined lists and the detail are read later`;
      if (base === 'detail' && !referable.hasDetail) return '"$detail" needs a "detail" of the source';
      if (typeof base === 'object' && !referable.joins.includes(base.join)) {
        const names = ['parent', 'root', 'key', ...referable.joins, ...(referable.hasDetail ? ['detail'] : [])];
        return `"$${base.join}" is no join of the source${didYouMean(base.join, names)}`;
      }
      if (base === 'entry' && up === 0) return groupProblem(field.path.keys[0], referable);
      return levelProblem(up, referable);
    }
  }
}

/** The entries of a pattern have the groups of the pattern only. */
function groupProblem(name: string | null | undefined, { source }: Referable): string | null {
  if (source.pattern === undefined || typeof name !== 'string') return null;
  const { groups } = compilePattern(source.pattern);
  return groups.includes(name) ? null : `${JSON.stringify(name)} is no group of the pattern${didYouMean(name, groups)}`;
}

function firstProblem(fields: readonly FieldSource[], referable: Referable): string | null {
  for (const field of fields) {
    const problem = findProblem(field, referable);
    if (problem !== null) return problem;
  }
  return null;
}

/** Each `*` in the path of the entries is an enclosing object, and the whole response is the outermost. */
function levelProblem(up: number, { source }: Referable): string | null {
  const levels = source.path.keys.filter((key) => key === null).length + 1;
  return up <= levels
    ? null
    : `expected "$parent" at most ${levels} times, because the path has that many enclosing objects`;
}
