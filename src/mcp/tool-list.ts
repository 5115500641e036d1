import { z } from 'zod';
import type { GuardedSignal } from './call-guard.js';
import { TransportError } from './errors.js';
import type { GuardedClient } from './guarded-client.js';
import { forEachInTurns } from '../shared/index.js';
import { toPrintableLine } from '../shared/sanitize/index.js';
import type { ToolInfo } from './session.js';

/** Most pages of a tool list. A longer list is treated as endless. */
const MAX_PAGES = 100;
const MAX_TOOLS = 10_000;
const MAX_NAME_LENGTH = 256;
const MAX_DESCRIPTION_LENGTH = 4_096;

// Unlike loose objects, these are not visited member by member.
const pageSchema = z.object({ tools: z.array(z.unknown()), nextCursor: z.string().nullish().catch(null) });
const toolSchema = z.object({ name: z.string().min(1), description: z.string().nullish().catch(null) });

/**
 * Lists all pages of a server's tools. Omits malformed tools, and tools whose name is not printable or contains a secret,
 * because they could be neither shown nor called.
 * @throws TransportError if the list has too many pages; errors of the client are passed on
 */
export async function listTools(
  client: Pick<GuardedClient, 'request'>,
  signal: GuardedSignal,
): Promise<readonly ToolInfo[]> {
  const tools: ToolInfo[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params: Record<string, unknown> = cursor === null ? {} : { cursor };
    const response: z.output<typeof pageSchema> = await client.request(
      { method: 'tools/list', params },
      pageSchema,
      signal,
    );
    await forEachInTurns(response.tools, (entry) => {
      const { success, data } = toolSchema.safeParse(entry);
      if (!success || tools.length === MAX_TOOLS || toPrintableLine(data.name, MAX_NAME_LENGTH) !== data.name) return;
      const description = data.description == null ? null : toPrintableLine(data.description, MAX_DESCRIPTION_LENGTH);
      tools.push({ name: data.name, description });
    });
    cursor = response.nextCursor ?? null;
    if (cursor === null) return tools;
  }
  throw new TransportError(`the tool list does not end after ${MAX_PAGES} pages`);
}
