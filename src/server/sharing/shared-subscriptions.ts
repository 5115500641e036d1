import { randomUUID } from 'node:crypto';
import { execute, type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import {
  compileSelection,
  type GroupMember,
  type GroupMembership,
  type GroupRequest,
  MemberIterator,
  type RenderedJson,
  resolveRootSelection,
  type RootSelection,
  type SelectionRenderer,
  streamHz,
  type StreamUpdate,
} from '../../delivery/index.js';
import { type SchemaContext, sharedStreamPlan } from '../../schema/index.js';
import type { ErrorMasker } from '../plugins/error-masking.js';
import { FrameWriter } from './frame-writer.js';
import { type CompressionOptions, SharedMessage } from './shared-message.js';

/** A subscription that may be shared with others that ask for the same. */
export interface SharedSubscription {
  readonly after: GroupMember<SharedMessage>['after'];
  join(member: GroupMember<SharedMessage>): GroupMembership;
}

/** Lets subscriptions whose field may be shared run together: one rendering for all that ask for the same. */
export class SubscriptionSharing {
  readonly #compress: CompressionOptions;
  readonly #mask: ErrorMasker;
  readonly #frames = new FrameWriter();
  /** By selection: subscriptions with other filters, and so of other groups, share what they render of each agent. */
  readonly #renderers = new Map<string, { readonly render: SelectionRenderer | null; users: number }>();

  constructor(compress: CompressionOptions, mask: ErrorMasker) {
    this.#compress = compress;
    this.#mask = mask;
  }

  /** Selections that are rendered. */
  get renderers(): number {
    return this.#renderers.size;
  }

  /** @returns `null` when it has to run by itself; an error when its arguments are wrong */
  plan(args: ExecutionArgs, context: SchemaContext): SharedSubscription | GraphQLError | null {
    try {
      const selection = resolveRootSelection(args);
      const plan = selection && sharedStreamPlan(selection.field);
      if (selection === null || plan === null) return null;
      const { view, mode, maxHz, after } = plan(selection.args, context);
      const hz = streamHz(mode, maxHz);
      // What is rendered for one viewer is for all of its scope, and for nobody else.
      const selected = JSON.stringify([context.viewer.scope, selection.field.name, selection.key]);
      const key = JSON.stringify([selected, view.key, hz]);
      const request = (): GroupRequest<SharedMessage> => {
        const renderer = this.#rendererOf(selected, selection);
        return {
          view,
          hz,
          render: (update, readers) =>
            this.#render(renderer.render, args, context, update, (parts) => this.#message(parts, readers)),
          onEmpty: () => {
            renderer.users -= 1;
            if (renderer.users === 0) this.#renderers.delete(selected);
          },
        };
      };
      return { after, join: (member) => context.streams.groups.join(key, request, member) };
    } catch (error) {
      const { requestId, clientId } = context;
      return this.#mask.mask(error, { requestId, clientId });
    }
  }

  #rendererOf(key: string, selection: RootSelection): { readonly render: SelectionRenderer | null; users: number } {
    let renderer = this.#renderers.get(key);
    if (renderer === undefined) {
      renderer = { render: compileSelection(selection), users: 0 };
      this.#renderers.set(key, renderer);
    }
    renderer.users += 1;
    return renderer;
  }

  #message(parts: RenderedJson, readers: number): SharedMessage {
    return new SharedMessage(parts, readers, this.#frames, this.#compress);
  }

  #render(
    render: SelectionRenderer | null,
    args: ExecutionArgs,
    context: SchemaContext,
    update: StreamUpdate,
    messageOf: (parts: RenderedJson) => SharedMessage,
  ): SharedMessage | Promise<SharedMessage> {
    const parts = render?.(update, context, context.store.commitCount) ?? null;
    if (parts !== null) return messageOf(parts);
    // As graphql does it for each event of a subscription.
    const result = execute({ ...args, rootValue: update });
    return result instanceof Promise
      ? result.then((done) => messageOf([this.#serialise(done)]))
      : messageOf([this.#serialise(result)]);
  }

  /** What goes wrong here goes wrong for all members at once, in nobody's request: the update has an id of its own. */
  #serialise({ data, errors }: ExecutionResult): string {
    if (errors === undefined) return JSON.stringify({ data });
    const requestId = randomUUID();
    return JSON.stringify({ errors: errors.map((error) => this.#mask.mask(error, { requestId })), data });
  }
}

/** Subscriptions over SSE take the shared path too; WebSockets take it before they come here. */
export function useSubscriptionSharing(sharing: SubscriptionSharing): Plugin<SchemaContext> {
  return {
    onSubscribe({ args, setSubscribeFn }) {
      const shared = sharing.plan(args, args.contextValue);
      if (shared === null) return;
      setSubscribeFn(() => (shared instanceof GraphQLError ? { errors: [shared] } : resultsOf(shared)));
    },
  };
}

function resultsOf(shared: SharedSubscription): AsyncIterableIterator<ExecutionResult> {
  return new MemberIterator<ExecutionResult>(shared.after, (reader) =>
    shared.join({
      after: reader.after,
      canReceive: () => reader.canReceive(),
      deliver: (message) => reader.deliver(message.result),
    }),
  );
}
