import { z } from 'zod';

/** A JSON Schema, as `tools/list` carries it. */
export interface InputSchema {
  readonly type: 'object';
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: InputSchema;
}

export interface SimulatedToolResult {
  readonly text: string;
  readonly isError: boolean;
}

export interface SimulatedTool extends ToolDefinition {
  /** @throws ToolFailure as the real server would refuse */
  call(args: unknown): SimulatedToolResult;
}

/** A refusal that goes out as a JSON-RPC error. */
export class ToolCallError extends Error {
  override readonly name = 'ToolFailure';
}

/** An answer that is not JSON. */
export class PlainText {
  readonly text: string;
  readonly isError: boolean;

  constructor(text: string, isError = false) {
    this.text = text;
    this.isError = isError;
  }
}

/** @param run its result goes out as JSON, with the indentation of the real servers */
export function defineTool<S extends z.ZodType>(
  info: ToolDefinition,
  input: S,
  run: (args: z.output<S>) => unknown,
): SimulatedTool {
  return {
    ...info,
    call: (args) => {
      const result = run(input.parse(args ?? {}));
      if (result instanceof PlainText) return { text: result.text, isError: result.isError };
      return { text: JSON.stringify(result, null, 2), isError: false };
    },
  };
}

/** The real servers do not hold arguments to their schemas: what does not fit is taken as left out. */
function optional<T extends z.ZodType>(field: T) {
  return field
    .nullish()
    .catch(null)
    .transform((value) => value ?? null);
}

export const optionalText = optional(z.string().min(1));
export const optionalNumber = optional(z.number());
export const optionalBoolean = optional(z.boolean());
export const optionalTexts = optional(
  z.array(z.unknown()).transform((list) => list.filter((item) => typeof item === 'string')),
);
export const optionalRecord = optional(z.record(z.string(), z.unknown()));
