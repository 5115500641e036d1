import type { WebSocket } from 'ws';
import { z } from 'zod';

/** The `permessage-deflate` of one socket. */
export interface DeflateExtension {
  /** Whether the client reads what is compressed with the largest window, as shared bytes are. */
  readonly acceptsSharedDeflate: boolean;
  /** Lets go of what reading a compressed message took: some 50 KB, which `ws` keeps for the next one. */
  releaseInflater(): void;
}

/** What `ws` keeps of it; its types leave it out. */
const EXTENSIONS = z.object({
  'permessage-deflate': z.custom<{ cleanup(): void }>(
    (value) => z.object({ cleanup: z.function() }).safeParse(value).success,
  ),
});
const PARAMS = z.object({ params: z.object({ server_max_window_bits: z.literal(15).optional() }) });

/** @returns `null` when the client has not asked for compression */
export function getDeflateExtension(socket: WebSocket): DeflateExtension | null {
  const extensions = EXTENSIONS.safeParse(Reflect.get(socket, '_extensions'));
  if (!extensions.success) return null;
  const extension = extensions.data['permessage-deflate'];
  return { acceptsSharedDeflate: PARAMS.safeParse(extension).success, releaseInflater: () => extension.cleanup() };
}
