import type { Client, RequestOptions } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { TransportError } from './errors.js';
import { toPrintableLine } from '../shared/sanitize/index.js';
import type { ToolInfo } from './session.js';

/** A list that has more does not end. */
const MAX_PAGES = 100;
const MAX_TOOLS = 10_000;
const MAX_NAME_LENGTH = 256;
const MAX_DESCRIPTION_LENGTH = 4_096;

const PAGE = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().nullish().catch(null) });
const TOOL = z.looseObject({ name: z.string().min(1), description: z.string().nullish().catch(null) });

/**
 * All pages of a server's tools. One that is malformed is left out, and so is one whose name is no printable text, or
 * holds a secret: it could be neither told nor called.
 * @throws TransportError the list does not end; else what the client throws
 */
export async function listTools(client: Client, options: RequestOptions): Promise<readonly ToolInfo[]> {
  const tools: ToolInfo[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params: Record<string, unknown> = cursor === null ? {} : { cursor };
    const answer: z.output<typeof PAGE> = await client.request({ method: 'tools/list', params }, PAGE, options);
    for (const entry of answer.tools) {
      const { success, data } = TOOL.safeParse(entry);
      if (!success || tools.length === MAX_TOOLS || toPrintableLine(data.name, MAX_NAME_LENGTH) !== data.name) continue;
      const description = data.description == null ? null : toPrintableLine(data.description, MAX_DESCRIPTION_LENGTH);
      tools.push({ name: data.name, description });
    }
    cursor = answer.nextCursor ?? null;
    if (cursor === null) return tools;
  }
  throw new TransportError(`its list of tools does not end after ${MAX_PAGES} pages`);
}
