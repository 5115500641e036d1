/** Members of a JSON-RPC message that the tap uses. */
export interface RpcMessage {
  /** Id of the message. Undefined if it is missing or invalid. */
  readonly id: string | number | undefined;
  readonly method: string | undefined;
  readonly params: unknown;
  /** Undefined if the message is not a successful response. */
  readonly result: unknown;
  readonly error: unknown;
}

export type RpcId = string | number;

const BRACE = 0x7b;
const BRACKET = 0x5b;
const SPACE = 0x20;
/** Most bytes of white space before a message. */
const MAX_LEADING_SPACES = 1_024;

/**
 * Parses the messages of a line: one, several in a batch, or none. Checked by hand instead of with a schema library,
 * because every message of the observed session passes through here.
 */
export function parseMessages(line: Buffer): readonly RpcMessage[] {
  if (!mayContainMessages(line)) return [];
  try {
    return toMessages(JSON.parse(line.toString('utf8')));
  } catch {
    return [];
  }
}

/** Returns whether a line begins like a message or a batch. */
export function mayContainMessages(line: Buffer): boolean {
  const first = line.subarray(0, MAX_LEADING_SPACES).find((byte) => byte > SPACE);
  return first === BRACE || first === BRACKET;
}

/** Returns the messages in the parsed JSON of a line. */
export function toMessages(json: unknown): readonly RpcMessage[] {
  return (Array.isArray(json) ? json : [json]).flatMap((message: unknown) =>
    isRecord(message) ? [toRpcMessage(message)] : [],
  );
}

function toRpcMessage({ id, method, params, result, error }: Record<string, unknown>): RpcMessage {
  return {
    id: typeof id === 'string' || typeof id === 'number' ? id : undefined,
    method: typeof method === 'string' ? method : undefined,
    params,
    result,
    error,
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
