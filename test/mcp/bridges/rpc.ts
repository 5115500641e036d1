/** Message as a replica reads it. Its shape is known, because the client under test wrote it. */
export interface Rpc {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: unknown;
}

export function rpc(message: Rpc): string {
  return JSON.stringify({ jsonrpc: '2.0', ...message });
}

/** Returns the tool name of a tool call, and the method of any other message. */
export function nameOf({ method = '', params }: Rpc): string {
  return method === 'tools/call' ? String(params?.['name']) : method;
}
