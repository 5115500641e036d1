import { z } from 'zod';
import type { GuardedSignal } from './call-guard.js';
import type { GuardedClient } from './guarded-client.js';

/** Most resources of a server that are watched. */
const MAX_RESOURCES = 64;
/** Most pages of a resource list that are read. */
const MAX_PAGES = 4;
const MAX_URI_LENGTH = 1_024;

const pageSchema = z.object({ resources: z.array(z.unknown()), nextCursor: z.string().nullish().catch(null) });
const resourceSchema = z.object({ uri: z.string().min(1).max(MAX_URI_LENGTH) });

/** Lists the URIs of the first resources of a server. Omits malformed ones. */
export async function listResourceUris(
  client: Pick<GuardedClient, 'request'>,
  signal: GuardedSignal,
): Promise<readonly string[]> {
  const uris = new Set<string>();
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params: Record<string, unknown> = cursor === null ? {} : { cursor };
    const response: z.output<typeof pageSchema> = await client.request(
      { method: 'resources/list', params },
      pageSchema,
      signal,
    );
    for (const entry of response.resources.slice(0, MAX_RESOURCES)) {
      const { data } = resourceSchema.safeParse(entry);
      if (data !== undefined && uris.size < MAX_RESOURCES) uris.add(data.uri);
    }
    cursor = response.nextCursor ?? null;
    if (cursor === null || uris.size === MAX_RESOURCES) break;
  }
  return [...uris];
}
