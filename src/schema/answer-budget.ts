import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  type FragmentDefinitionNode,
  getDirectiveValues,
  getNullableType,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  GraphQLSkipDirective,
  isListType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { SwarmlensError } from '../shared/index.js';

/** Number of values after which the execution of an operation lets other work run, about 2 ms. */
const VALUES_PER_TURN = 2_000;
/** Number of values in a part of a long list. The rest of the turn is for lists in its items. */
const VALUES_PER_PART = VALUES_PER_TURN / 2;

/**
 * Turns of the event loop for slices of long answers: one slice per turn, whichever operation it belongs to. All slices
 * together take at most half of the time, so that streams keep their rates.
 */
export class SliceTurns {
  #last: Promise<void> = Promise.resolve();
  /** Time in milliseconds at which the slices have taken half of the time since the last one began. */
  #freeAtMs = -Infinity;

  next(): Promise<void> {
    this.#last = this.#last.then(() => this.#start());
    return this.#last;
  }

  async #start(): Promise<void> {
    await nextTurn();
    const waitMs = this.#freeAtMs - performance.now();
    // A shorter timer would take a millisecond, too.
    if (waitMs >= 1) await sleep(waitMs);
    const startMs = performance.now();
    // Runs after the slice.
    setImmediate(() => {
      const endMs = performance.now();
      this.#freeAtMs = endMs + (endMs - startMs);
    });
  }
}

export interface AnswerBudgetOptions {
  /** Maximum number of values in the answer. */
  readonly maxValues: number;
  readonly turns: Pick<SliceTurns, 'next'>;
  /** Called once when the answer exceeds the budget. */
  readonly onExceeded: () => void;
}

/**
 * Number of values that the answer to one operation may still contain. Each item of a list counts as many values as the
 * operation selects of it. The events of a subscription are counted one by one.
 */
export class AnswerBudget {
  readonly #options: AnswerBudgetOptions;
  #left: number;
  #event: unknown = undefined;
  /** Values since the operation last let other work run. */
  #valuesInTurn = 0;
  #waitingParts = 0;
  /** Settles when no part of a list waits for a turn. */
  #lastPart: Promise<void> = Promise.resolve();
  #isExceeded = false;

  constructor(options: AnswerBudgetOptions) {
    this.#options = options;
    this.#left = options.maxValues;
  }

  /** Whether the operation has work left for a later turn of the event loop. */
  get isSlicing(): boolean {
    return this.#waitingParts > 0;
  }

  /** Counts values. @throws SwarmlensError LIMIT_EXCEEDED if there are too many */
  take(values: number): void {
    this.#left -= values;
    if (this.#left >= 0) return;
    if (!this.#isExceeded) this.#options.onExceeded();
    this.#isExceeded = true;
    throw this.#exceeded();
  }

  /**
   * Counts the items of a list.
   * @returns the list, or a list of promises that resolve to its items in later turns of the event loop if the list, or the
   *   lists before it together, are long
   */
  takeList(list: unknown, info: GraphQLResolveInfo): unknown {
    if (!Array.isArray(list) || list.length === 0) return list;
    if (info.rootValue !== this.#event) {
      this.#event = info.rootValue;
      this.#left = this.#options.maxValues;
      this.#valuesInTurn = 0;
      this.#isExceeded = false;
    }
    const perItem = countValues(
      info.fieldNodes.map(({ selectionSet }) => selectionSet),
      info,
    );
    const values = list.length * perItem;
    this.take(values);
    if (this.#valuesInTurn + values > VALUES_PER_TURN) return this.#slice(list, perItem);
    this.#valuesInTurn += values;
    return list;
  }

  #slice(list: readonly unknown[], perItem: number): Promise<unknown>[] {
    const perPart = Math.max(1, Math.floor(VALUES_PER_PART / perItem));
    const promises: Promise<unknown>[] = [];
    for (let start = 0; start < list.length; start += perPart) {
      const part = list.slice(start, start + perPart);
      const started = this.#startPart(part.length * perItem);
      for (const item of part) promises.push(started.then(() => item));
    }
    return promises;
  }

  /** Resolves when a part of a list may be executed. Rejects if the answer exceeds the budget by then. */
  #startPart(values: number): Promise<void> {
    this.#waitingParts += 1;
    const started = this.#lastPart.then(async () => {
      if (!this.#isExceeded && this.#valuesInTurn > 0 && this.#valuesInTurn + values > VALUES_PER_PART) {
        await this.#options.turns.next();
        this.#valuesInTurn = 0;
      }
      this.#valuesInTurn += values;
      this.#waitingParts -= 1;
      if (this.#isExceeded) throw this.#exceeded();
    });
    this.#lastPart = started.catch(() => undefined);
    return started;
  }

  #exceeded(): SwarmlensError {
    return new SwarmlensError(
      'LIMIT_EXCEEDED',
      `The answer has more than ${this.#options.maxValues} values. Request fewer fields, or filter the lists.`,
    );
  }
}

/** Scope in which the values of a selection are counted. */
type CountScope = Pick<GraphQLResolveInfo, 'fragments' | 'variableValues'>;

/** Counts the values that an operation selects of one item, at least one. Nested lists count as one item. */
export function countValues(selectionSets: readonly (SelectionSetNode | undefined)[], scope: CountScope): number {
  const fragments = new Map<FragmentDefinitionNode, number>();
  const count = (selections: readonly SelectionNode[]): number => {
    let values = 0;
    for (const selection of selections) {
      if (!isIncluded(selection, scope)) continue;
      if (selection.kind === Kind.FIELD) values += 1 + count(selection.selectionSet?.selections ?? []);
      else if (selection.kind === Kind.INLINE_FRAGMENT) values += count(selection.selectionSet.selections);
      else values += countFragment(scope.fragments[selection.name.value]);
    }
    return values;
  };
  const countFragment = (fragment: FragmentDefinitionNode | undefined): number => {
    if (fragment === undefined) return 0;
    let values = fragments.get(fragment);
    if (values === undefined) fragments.set(fragment, (values = count(fragment.selectionSet.selections)));
    return values;
  };
  return Math.max(
    1,
    selectionSets.reduce((sum, selectionSet) => sum + count(selectionSet?.selections ?? []), 0),
  );
}

function isIncluded(selection: SelectionNode, { variableValues }: CountScope): boolean {
  if (selection.directives === undefined || selection.directives.length === 0) return true;
  return (
    getDirectiveValues(GraphQLSkipDirective, selection, variableValues)?.['if'] !== true &&
    getDirectiveValues(GraphQLIncludeDirective, selection, variableValues)?.['if'] !== false
  );
}

/** Makes the list fields of a schema count their items against the budget of the operation. */
export function limitAnswers(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (!isListType(getNullableType(field.type))) continue;
      const { resolve } = field;
      if (resolve === undefined) throw new Error(`${type.name}.${field.name} has no resolver.`);
      field.resolve = (source, args, context, info): unknown => {
        const list: unknown = resolve(source, args, context, info);
        const { answer } = context as { readonly answer: AnswerBudget | null }; // all contexts of this schema have it
        if (answer === null) return list;
        return list instanceof Promise
          ? list.then((settled: unknown) => answer.takeList(settled, info))
          : answer.takeList(list, info);
      };
    }
  }
  return schema;
}
