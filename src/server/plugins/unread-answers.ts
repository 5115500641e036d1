import type { ServerResponse } from 'node:http';
import { bulkhead, type BulkheadPolicy } from 'cockatiel';
import { type ExecutionArgs, getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Limits } from '../../config/index.js';
import type { SchemaContext } from '../../schema/index.js';
import type { LimitCounters } from '../limits/limit-counters.js';

/**
 * Limits the queries over HTTP of one client that run or whose answers are not sent completely. Further queries wait, so that
 * a client with many connections that it does not read from needs the memory of a few answers.
 */
export class AnswerTurns {
  readonly #maxAnswers: number;
  readonly #counters: LimitCounters;
  readonly #clients = new Map<string, { readonly turns: BulkheadPolicy; queries: number }>();

  constructor({ maxUnreadAnswers }: Pick<Limits, 'maxUnreadAnswers'>, counters: LimitCounters) {
    this.#maxAnswers = maxUnreadAnswers;
    this.#counters = counters;
  }

  /** Resolves when the query may run. Its turn ends when the response is sent, or its connection is closed. */
  async enter(clientId: string, response: ServerResponse): Promise<void> {
    if (response.closed) return;
    const client = this.#clients.get(clientId) ?? { turns: bulkhead(this.#maxAnswers, Infinity), queries: 0 };
    this.#clients.set(clientId, client);
    client.queries += 1;
    // Unlike `once` of Node.js, does not reject if the response fails.
    const closed = new Promise<void>((resolve) => response.once('close', resolve)).then(() => {
      client.queries -= 1;
      if (client.queries === 0) this.#clients.delete(clientId);
    });
    if (client.turns.executionSlots === 0) this.#counters.hit('maxUnreadAnswers');
    await new Promise<void>((resolve, reject) => {
      const run = (): Promise<void> => {
        resolve();
        return closed;
      };
      client.turns.execute(run).catch(reject);
    });
  }
}

/** Makes queries over HTTP wait for unread answers of the same client. Over a WebSocket, `MessageGate` does the same. */
export function useUnreadAnswers(turns: AnswerTurns): Plugin<SchemaContext> {
  return {
    async onExecute({ args, setResultAndStopExecution }) {
      const { document, operationName, contextValue } = args as ExecutionArgs; // envelop types its properties `any`
      // The context of an operation contains the server context. The response is missing over WebSocket.
      const { res, clientId } = contextValue as SchemaContext & { readonly res?: ServerResponse };
      if (res === undefined || getOperationAST(document, operationName)?.operation !== OperationTypeNode.QUERY) return;
      await turns.enter(clientId, res);
      if (res.closed) setResultAndStopExecution({ data: null });
    },
  };
}
