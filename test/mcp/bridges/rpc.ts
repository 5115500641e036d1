/** A message as a replica reads it: the client under test wrote it, so its shape is known. */
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

/** Tools called, by name, in order; methods of other requests and notifications by theirs. */
export function nameOf({ method = '', params }: Rpc): string {
  return method === 'tools/call' ? String(params?.['name']) : method;
}
