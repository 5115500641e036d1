import { randomUUID } from 'node:crypto';
import { execute, type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import {
  compileSelection,
  type GroupMember,
  type GroupMembership,
  type GroupRequest,
  MemberIterator,
  type PositionedMembership,
  RatedMembership,
  type RenderedJson,
  resolveRootSelection,
  type RootSelection,
  type SelectionRenderer,
  type StreamUpdate,
} from '../../delivery/index.js';
import {
  AnswerBudget,
  type AnswerBudgetOptions,
  countValues,
  type SchemaContext,
  sharedStreamPlan,
} from '../../schema/index.js';
import { SwarmlensError } from '../../shared/index.js';
import type { ErrorMasker } from '../plugins/error-masking.js';
import { FrameWriter } from './frame-writer.js';
import { type CompressionOptions, SharedMessage } from './shared-message.js';

/** Subscription that can join a subscription group. */
export interface SharedSubscription {
  readonly after: GroupMember<SharedMessage>['after'];
  join(member: GroupMember<SharedMessage>): GroupMembership;
}

/** Limit of the estimated first update of a subscription. */
export interface UpdateLimit {
  readonly maxValues: number;
  readonly onExceeded: () => void;
}

/** Plans which subscriptions share one execution, one rendering and one compression. */
export class SubscriptionSharing {
  readonly #compress: CompressionOptions;
  readonly #mask: ErrorMasker;
  readonly #budget: AnswerBudgetOptions;
  readonly #updates: UpdateLimit;
  readonly #frames = new FrameWriter();
  /** Renderers by selection. Groups with the same selection but other filters share the rendering of each agent. */
  readonly #renderers = new Map<string, { readonly render: SelectionRenderer | null; users: number }>();

  /**
   * @param budget limit of each update whose selection is not compiled, because it contains links
   * @param updates limit of the first update of other subscriptions, which is rendered in parts
   */
  constructor(compress: CompressionOptions, mask: ErrorMasker, budget: AnswerBudgetOptions, updates: UpdateLimit) {
    this.#compress = compress;
    this.#mask = mask;
    this.#budget = budget;
    this.#updates = updates;
  }

  /** Number of compiled selections in use. */
  get rendererCount(): number {
    return this.#renderers.size;
  }

  /** Plans a subscription. @returns null if it cannot be shared, an error if its arguments are invalid */
  plan(args: ExecutionArgs, context: SchemaContext): SharedSubscription | GraphQLError | null {
    try {
      const selection = resolveRootSelection(args);
      const plan = selection && sharedStreamPlan(selection.field);
      if (selection === null || plan === null) return null;
      const { view, after, ...rate } = plan(selection.args, context);
      this.#checkSize(selection, context.store.countCandidates(view));
      // Renderings are shared within an access scope and never across scopes.
      const selectionKey = JSON.stringify([context.viewer.scope, selection.field.name, selection.key]);
      const request = (hz: number): GroupRequest<SharedMessage> => {
        const renderer = this.#acquireRenderer(selectionKey, selection);
        const compiled: SchemaContext = { ...context, answer: null };
        return {
          view,
          hz,
          render: (update, readers) => {
            // Compiled selections are bounded by the number of items. Others may contain links.
            const contextValue =
              renderer.render === null ? { ...context, answer: new AnswerBudget(this.#budget) } : compiled;
            return this.#render(renderer.render, { ...args, contextValue }, contextValue, update, (parts) =>
              this.#createMessage(parts, readers),
            );
          },
          onEmpty: () => {
            renderer.users -= 1;
            if (renderer.users === 0) this.#renderers.delete(selectionKey);
          },
        };
      };
      const { groups } = context.streams;
      const joinGroup = (hz: number, member: GroupMember<SharedMessage>): PositionedMembership =>
        groups.join(JSON.stringify([selectionKey, view.key, hz]), () => request(hz), member);
      return { after, join: (member) => new RatedMembership(member, rate, joinGroup) };
    } catch (error) {
      const { requestId, clientId } = context;
      return this.#mask.mask(error, { requestId, clientId });
    }
  }

  /** @throws SwarmlensError LIMIT_EXCEEDED if a snapshot of so many items has too many values */
  #checkSize(selection: RootSelection, items: number): void {
    const { nodes, scope } = selection;
    const perItem = countValues(
      nodes.map(({ selectionSet }) => selectionSet),
      { fragments: scope.fragments, variableValues: scope.variables },
    );
    const values = items * perItem;
    if (values <= Math.min(this.#budget.maxValues, this.#updates.maxValues)) return;
    // Most subscriptions are far below both limits, so that only large ones are compiled once more.
    const { maxValues, onExceeded } = compileSelection(selection) === null ? this.#budget : this.#updates;
    if (values <= maxValues) return;
    onExceeded();
    throw new SwarmlensError(
      'LIMIT_EXCEEDED',
      `The first update has more than ${maxValues} values. Request fewer fields, or use filters.`,
    );
  }

  #acquireRenderer(
    key: string,
    selection: RootSelection,
  ): { readonly render: SelectionRenderer | null; users: number } {
    let renderer = this.#renderers.get(key);
    if (renderer === undefined) {
      renderer = { render: compileSelection(selection), users: 0 };
      this.#renderers.set(key, renderer);
    }
    renderer.users += 1;
    return renderer;
  }

  #createMessage(parts: RenderedJson, readers: number): SharedMessage {
    return new SharedMessage(parts, readers, this.#frames, this.#compress);
  }

  #render(
    render: SelectionRenderer | null,
    args: ExecutionArgs,
    context: SchemaContext,
    update: StreamUpdate,
    createMessage: (parts: RenderedJson) => SharedMessage,
  ): SharedMessage | Promise<SharedMessage> {
    const parts = render?.(update, context, context.store.commitCount) ?? null;
    if (parts instanceof Promise) {
      return parts.then(async (rendered) => {
        const message = await (rendered === null
          ? this.#execute(args, update, createMessage)
          : createMessage(rendered));
        await message.compressLarge();
        return message;
      });
    }
    return parts === null ? this.#execute(args, update, createMessage) : createMessage(parts);
  }

  /** Executes an event as graphql executes each event of a subscription. */
  #execute(
    args: ExecutionArgs,
    update: StreamUpdate,
    createMessage: (parts: RenderedJson) => SharedMessage,
  ): SharedMessage | Promise<SharedMessage> {
    const result = execute({ ...args, rootValue: update });
    return result instanceof Promise
      ? result.then((resolved) => createMessage([this.#serialize(resolved)]))
      : createMessage([this.#serialize(result)]);
  }

  /** Serializes a result. Its errors concern all members, therefore they get a new request id. */
  #serialize(result: ExecutionResult): string {
    const { data, errors } = this.#mask.maskResult(result, { requestId: randomUUID() });
    return JSON.stringify(errors === undefined ? { data } : { errors, data });
  }
}

/** Shares subscriptions over SSE. The WebSocket server calls `plan` itself. */
export function useSubscriptionSharing(sharing: SubscriptionSharing): Plugin<SchemaContext> {
  return {
    onSubscribe({ args, setSubscribeFn }) {
      const shared = sharing.plan(args, args.contextValue);
      if (shared === null) return;
      setSubscribeFn(() => (shared instanceof GraphQLError ? { errors: [shared] } : toResults(shared)));
    },
  };
}

function toResults(shared: SharedSubscription): AsyncIterableIterator<ExecutionResult> {
  return new MemberIterator<ExecutionResult>(shared.after, (reader) =>
    shared.join({
      after: reader.after,
      canReceive: () => reader.canReceive(),
      deliver: (message) => reader.deliver(message.result),
    }),
  );
}
