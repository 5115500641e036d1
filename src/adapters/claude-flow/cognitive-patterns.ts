import { z } from 'zod';
import type { ToolFailure } from '../../model/index.js';
import type { AdapterContext } from '../adapter.js';
import * as field from '../responses/value-schemas.js';
import { UnusableResponseError, collectFailures, PolledTool, expectObject } from '../polled-tool.js';
import type { RecordReader } from '../responses/record-reader.js';

/** Between two calls, whichever agents they are for. */
const MIN_INTERVAL_MS = 1000;
/** Between two calls for one agent. */
const MIN_AGENT_INTERVAL_MS = 60_000;

const TOOL = 'daa_cognitive_pattern';

// Its `metrics.tasksCompleted` is set to 0 when the agent is made and never again: not a count of anything.
const patternSchema = z.object({ agentId: field.id, currentPattern: field.word, learningRate: field.ratio });

export interface DaaPattern {
  readonly cognitivePattern: string | null;
  readonly learningRate: number | null;
}

/** How claude-flow's DAA agents think: asked agent by agent, one a second, those first that waited longest. */
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
    return collectFailures(this.#tools.values());
  }

  patternOf(agentId: string): DaaPattern | null {
    return this.#tools.get(agentId)?.current ?? null;
  }

  /** Takes in the pattern of one of the agents that are asked for. @throws AnswerError when the answer does not fit */
  accept(answer: unknown): boolean {
    const { agentId } = expectObject(answer);
    return typeof agentId === 'string' && (this.#tools.get(agentId)?.accept(answer) ?? false);
  }

  /** @throws when the server could not be asked */
  async refresh(agentIds: readonly string[], signal: AbortSignal): Promise<void> {
    this.#follow(agentIds);
    const nowMs = this.#context.clock.monotonic();
    if (nowMs - this.#requestedAtMs < MIN_INTERVAL_MS) return;
    let next: PolledTool<DaaPattern> | null = null;
    for (const lane of this.#tools.values()) {
      if (lane.isDue() && (next === null || (lane.requestedAtMs ?? -Infinity) < (next.requestedAtMs ?? -Infinity)))
        next = lane;
    }
    if (next === null) return;
    this.#requestedAtMs = nowMs;
    await next.refresh(signal);
  }

  #follow(agentIds: readonly string[]): void {
    const present = new Set(agentIds);
    for (const id of this.#tools.keys()) if (!present.has(id)) this.#tools.delete(id);
    for (const id of present) if (!this.#tools.has(id)) this.#tools.set(id, this.#laneFor(id));
  }

  #laneFor(agentId: string): PolledTool<DaaPattern> {
    return new PolledTool(this.#context, {
      tool: TOOL,
      args: { agentId, action: 'analyze' },
      minIntervalMs: MIN_AGENT_INTERVAL_MS,
      read: (answer) => {
        const record = this.#records.read({ tool: TOOL, path: 'answer' }, patternSchema, expectObject(answer));
        // Without an agent that it knows, the tool explains what patterns there are.
        if (record?.agentId !== agentId)
          throw new UnusableResponseError('Unexpected answer: not about the agent asked for');
        return { cognitivePattern: record.currentPattern, learningRate: record.learningRate };
      },
    });
  }
}
