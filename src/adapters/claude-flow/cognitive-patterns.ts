import { z } from 'zod';
import type { ToolFailure } from '../../model/index.js';
import type { AdapterContext } from '../adapter.js';
import * as field from '../responses/value-schemas.js';
import { collectProblems, PolledTool } from '../polled-tool.js';
import { UnusableResponseError, expectObject } from '../responses/parse-response.js';
import type { RecordReader } from '../responses/record-reader.js';

/** Minimum interval between two calls for any agents. */
const MIN_INTERVAL_MS = 1000;
/** Minimum interval between two calls for the same agent. */
const MIN_AGENT_INTERVAL_MS = 60_000;

const TOOL = 'daa_cognitive_pattern';

// `metrics.tasksCompleted` is omitted, because the server sets it to 0 and never changes it.
const patternSchema = z.object({ agentId: field.id, currentPattern: field.word, learningRate: field.ratio });

/** Cognitive pattern and learning rate of one DAA agent. */
export interface DaaPattern {
  readonly cognitivePattern: string | null;
  readonly learningRate: number | null;
}

/**
 * Fetches the cognitive pattern of each DAA agent: one agent per second, the one with the oldest value first.
 */
export class CognitivePatterns {
  readonly #context: AdapterContext;
  readonly #records: RecordReader;
  readonly #tools = new Map<string, PolledTool<DaaPattern>>();
  #requestedAtMs = -Infinity;

  constructor(context: AdapterContext, records: RecordReader) {
    this.#context = context;
    this.#records = records;
  }

  get failures(): readonly ToolFailure[] {
    return collectProblems(this.#tools.values()).failures;
  }

  patternOf(agentId: string): DaaPattern | null {
    return this.#tools.get(agentId)?.current ?? null;
  }

  /**
   * Applies an observed response. Returns false if it belongs to no known agent.
   * @throws UnusableResponseError if the response is malformed
   */
  accept(response: unknown): boolean {
    const { agentId } = expectObject(response);
    return typeof agentId === 'string' && (this.#tools.get(agentId)?.accept(response) ?? false);
  }

  /**
   * Fetches the next pattern if a call is due.
   * @throws if the server cannot be reached
   */
  async refresh(agentIds: readonly string[], signal: AbortSignal): Promise<void> {
    this.#syncTools(agentIds);
    const nowMs = this.#context.clock.monotonic();
    if (nowMs - this.#requestedAtMs < MIN_INTERVAL_MS) return;
    let next: PolledTool<DaaPattern> | null = null;
    for (const tool of this.#tools.values()) {
      if (tool.isDue() && (next === null || (tool.requestedAtMs ?? -Infinity) < (next.requestedAtMs ?? -Infinity)))
        next = tool;
    }
    if (next === null) return;
    this.#requestedAtMs = nowMs;
    await next.refresh(signal);
  }

  #syncTools(agentIds: readonly string[]): void {
    const present = new Set(agentIds);
    for (const id of this.#tools.keys()) if (!present.has(id)) this.#tools.delete(id);
    for (const id of present) if (!this.#tools.has(id)) this.#tools.set(id, this.#createTool(id));
  }

  #createTool(agentId: string): PolledTool<DaaPattern> {
    return new PolledTool(this.#context, {
      tool: TOOL,
      records: this.#records,
      args: { agentId, action: 'analyze' },
      minIntervalMs: MIN_AGENT_INTERVAL_MS,
      read: (response) => {
        const record = this.#records.read({ tool: TOOL, path: 'answer' }, patternSchema, expectObject(response));
        // For an unknown agent, the tool explains the patterns instead.
        if (record?.agentId !== agentId) throw new UnusableResponseError('Unexpected response: about another agent');
        return { cognitivePattern: record.currentPattern, learningRate: record.learningRate };
      },
    });
  }
}
