import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { connectSession } from '../mcp/index.js';
import type { Clock } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';
import type { Greeting, NetworkEndpoint } from './candidate.js';
import { type LineChannel, openTcp, openWebSocket } from './line-channel.js';

export interface GreetOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** It speaks JSON-RPC, and this is what it says: another transport would not make a difference. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
}

/** Names that are asked for, in pages. */
const MAX_PAGES = 20;

const ANSWER = z.looseObject({
  id: z.unknown().optional(),
  error: z.looseObject({ message: z.string() }).optional(),
  result: z.unknown().optional(),
});
const INITIALIZED = z.looseObject({
  serverInfo: z.looseObject({ name: z.string(), version: z.string().nullish() }),
  // One of VisionFlow's bridges leaves them out.
  capabilities: z.record(z.string(), z.unknown()).nullish(),
});
const TOOLS = z.looseObject({
  tools: z.array(z.looseObject({ name: z.string() })),
  nextCursor: z.string().nullish(),
});

/**
 * Greets an MCP server, asks for its tools and leaves. Sends neither credentials nor anything else of ours.
 * @throws Error saying why there is no greeting; never later than `timeoutMs`
 */
export async function greet(endpoint: NetworkEndpoint, options: GreetOptions): Promise<Greeting> {
  const { clock, timeoutMs } = options;
  const late = new AbortController();
  const abort = (): void => late.abort(new Error(`no answer within ${timeoutMs} ms`));
  options.signal.addEventListener('abort', abort, { once: true });
  using _timer = clock.schedule(timeoutMs, abort);
  if (options.signal.aborted) abort();
  try {
    if (endpoint.type === 'tcp')
      return await talk(await openTcp(endpoint.host, endpoint.port, late.signal), late.signal);
    if (endpoint.type === 'ws') return await talk(await openWebSocket(endpoint.url, late.signal), late.signal);
    return await openSession({ type: endpoint.type, url: endpoint.url }, { ...options, signal: late.signal });
  } catch (error) {
    if (late.signal.aborted) throw late.signal.reason;
    throw error;
  } finally {
    options.signal.removeEventListener('abort', abort);
  }
}

async function openSession(
  { type, url }: { readonly type: 'http' | 'sse'; readonly url: string },
  { signal, timeoutMs, clock, logger }: GreetOptions,
): Promise<Greeting> {
  await using session = await connectSession(
    { type, url, headers: {} },
    { serverId: url, signal, connectTimeoutMs: timeoutMs, clock, logger },
  );
  const { name, version, capabilities = [] } = session.identity;
  return { name, version, capabilities: [...capabilities].sort(), tools: session.tools.map((tool) => tool.name) };
}

/** The handshake by hand. To be replaced by `connectSession` when that knows these transports. */
async function talk(opened: LineChannel, signal: AbortSignal): Promise<Greeting> {
  using channel = opened;
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('too late')), { once: true });
  });
  return await Promise.race([handshake(channel), late]);
}

async function handshake(channel: LineChannel): Promise<Greeting> {
  const messages = channel.messages();
  const ask = async (method: string, params: object): Promise<unknown> => {
    // Some bridges give an answer to whoever of their clients has used its id.
    const id = `swarmlens-${randomUUID()}`;
    channel.send({ jsonrpc: '2.0', id, method, params });
    for (;;) {
      const { value } = await messages.next();
      const answer = ANSWER.safeParse(value);
      if (!answer.success || (answer.data.id !== id && !isRefusal(answer.data))) continue;
      if (answer.data.error !== undefined) throw new RefusalError(answer.data.error.message);
      return answer.data.result;
    }
  };
  const clientInfo = { name: 'swarmlens', version: '1' };
  const greeting = await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
  const initialized = INITIALIZED.safeParse(greeting);
  if (!initialized.success) throw new RefusalError('it answers, but not as MCP servers do');
  const { serverInfo, capabilities } = initialized.data;
  channel.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  const tools: string[] = [];
  let cursor: string | null | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const listed = TOOLS.safeParse(await ask('tools/list', cursor == null ? {} : { cursor }).catch(() => null));
    if (!listed.success) break;
    tools.push(...listed.data.tools.map(({ name }) => name));
    cursor = listed.data.nextCursor;
    if (cursor == null) break;
  }
  const { name, version = null } = serverInfo;
  return { name, version, capabilities: Object.keys(capabilities ?? {}).sort(), tools };
}

/** An error without an id, before anything else was asked, is the answer to the greeting. */
function isRefusal({ id, error }: z.output<typeof ANSWER>): boolean {
  return id == null && error !== undefined && isAboutCredentials(error.message);
}

/** Whether an error says that the server wants to know who asks. */
export function isAboutCredentials(message: string): boolean {
  return /\b40[13]\b|unauthori[sz]ed|forbidden|authenticat|credential/i.test(message);
}
