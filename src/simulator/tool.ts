import { z } from 'zod';

/** JSON Schema of a tool's arguments in `tools/list`. */
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
  /**
   * Calls the tool.
   * @throws ToolCallError if the real server would answer with a JSON-RPC error
   */
  call(args: unknown): SimulatedToolResult;
}

/** A tool call fails with a JSON-RPC error. */
export class ToolCallError extends Error {
  override readonly name = 'ToolCallError';
}

/** Result that is sent as plain text instead of JSON. */
export class PlainText {
  readonly text: string;
  readonly isError: boolean;

  constructor(text: string, isError = false) {
    this.text = text;
    this.isError = isError;
  }
}

/** Defines a simulated tool. The result of `run` is sent as JSON with the indentation of the real servers. */
export function defineTool<S extends z.ZodType>(
  definition: ToolDefinition,
  input: S,
  run: (args: z.output<S>) => unknown,
): SimulatedTool {
  return {
    ...definition,
    call: (args) => {
      const result = run(input.parse(args ?? {}));
      if (result instanceof PlainText) return { text: result.text, isError: result.isError };
      return { text: JSON.stringify(result, null, 2), isError: false };
    },
  };
}

/** Makes a field optional and treats invalid values as missing, because the real servers do not validate arguments. */
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
