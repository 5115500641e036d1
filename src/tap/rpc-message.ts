/** What matters here of one JSON-RPC message. */
export interface RpcMessage {
  /** `undefined`: it has none, or one that is neither text nor a number. */
  readonly id: string | number | undefined;
  readonly method: string | undefined;
  readonly params: unknown;
  /** `undefined`: it has none. */
  readonly result: unknown;
  readonly error: unknown;
}

export type RpcId = string | number;

const BRACE = 0x7b;
const BRACKET = 0x5b;
const SPACE = 0x20;

/**
 * The messages in a line: one, several in a batch, or none. Looked at by hand, because everything that a person and a server
 * say to each other goes through here.
 */
export function parseMessages(line: Buffer): readonly RpcMessage[] {
  const first = line.find((byte) => byte > SPACE);
  if (first !== BRACE && first !== BRACKET) return [];
  let json: unknown;
  try {
    json = JSON.parse(line.toString('utf8'));
  } catch {
    return [];
  }
  return (Array.isArray(json) ? json : [json]).flatMap((one: unknown) => (isRecord(one) ? [messageOf(one)] : []));
}

function messageOf({ id, method, params, result, error }: Record<string, unknown>): RpcMessage {
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
