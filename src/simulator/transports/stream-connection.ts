import { pipeline, type Readable, type Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { MAX_MESSAGE_BYTES } from '../../shared/index.js';
import { LineLengthLimiter } from './line-length-limiter.js';
import { createMcpServer } from '../mcp-server.js';
import type { ServerProfile } from '../server-profiles.js';
import type { SimulatedTool } from '../tool.js';

export interface StreamConnection extends AsyncDisposable {
  /** Resolves when the other side has ended or the connection is disposed. */
  readonly ended: Promise<void>;
}

/** Serves newline-delimited JSON-RPC over a pair of streams, of a process or a socket. Disposing it ends the input. */
export async function serveStreams(
  profile: ServerProfile,
  tools: readonly SimulatedTool[],
  input: Readable,
  output: Writable,
): Promise<StreamConnection> {
  const lines = new LineLengthLimiter(MAX_MESSAGE_BYTES);
  const mcp = createMcpServer(profile, tools);
  const ended = new Promise<void>((resolve) => {
    mcp.server.onclose = resolve;
  });
  // Larger than any line together with the rest of the previous one.
  const transport = new StdioServerTransport(lines, output, { maxBufferSize: 3 * MAX_MESSAGE_BYTES });
  await mcp.connect(transport);
  // The reason does not matter, because the transport notices the end.
  pipeline(input, lines, () => undefined);
  return {
    ended,
    [Symbol.asyncDispose]: async () => {
      await mcp.close();
      lines.destroy();
    },
  };
}
