import { pipeline, type Readable, type Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { MAX_MESSAGE_BYTES } from '../../shared/index.js';
import { LineLengthLimiter } from './line-length-limiter.js';
import { createMcpServer } from '../mcp-server.js';
import type { ServerProfile } from '../server-profiles.js';
import type { SimulatedTool } from '../tool.js';

export interface StreamConnection extends AsyncDisposable {
  /** Resolves when the other side has ended, or the connection was closed. */
  readonly ended: Promise<void>;
}

/** Serves newline-delimited JSON-RPC over a pair of streams: a process's own, or a socket. Closing it ends the input. */
export async function serveStreams(
  kind: ServerProfile,
  tools: readonly SimulatedTool[],
  input: Readable,
  output: Writable,
): Promise<StreamConnection> {
  const lines = new LineLengthLimiter(MAX_MESSAGE_BYTES);
  const mcp = createMcpServer(kind, tools);
  const ended = new Promise<void>((resolve) => {
    mcp.server.onclose = resolve;
  });
  // Larger than any line together with what is left of the one before it.
  const transport = new StdioServerTransport(lines, output, { maxBufferSize: 3 * MAX_MESSAGE_BYTES });
  await mcp.connect(transport);
  // How it ended is all the same: the transport sees that it did.
  pipeline(input, lines, () => undefined);
  return {
    ended,
    [Symbol.asyncDispose]: async () => {
      await mcp.close();
      lines.destroy();
    },
  };
}
