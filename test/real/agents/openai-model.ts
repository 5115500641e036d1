import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { ANSWER_TOKENS, type Block, ScriptedModel, sendEvent, sendJson } from './scripted-model.js';

const itemSchema = z.looseObject({
  type: z.string().default('message'),
  role: z.string().optional(),
  content: z
    .array(z.looseObject({ text: z.string().optional() }))
    .optional()
    .catch([]),
});
const requestSchema = z.object({
  input: z.array(itemSchema),
  tools: z
    .array(
      z.looseObject({
        type: z.string(),
        name: z.string().optional(),
        tools: z.array(z.looseObject({ name: z.string().optional() })).optional(),
      }),
    )
    .default([]),
});
type Request = z.infer<typeof requestSchema>;

/** Responses API with scripted answers of one block each. The prompt of a conversation is its newest text with a marker. */
export class OpenAiModel extends ScriptedModel {
  protected async respond(path: string, body: unknown, response: ServerResponse): Promise<void> {
    const { data: request } = requestSchema.safeParse(body);
    if (!path.includes('/responses') || request === undefined) {
      sendJson(response, 404, { error: { message: path } });
      return;
    }
    const { marker, position } = this.#locate(request);
    const { blocks, error } = await this.answer(marker, position);
    if (error !== undefined) {
      sendJson(response, 400, { error: { type: error, message: 'No.' } });
      return;
    }
    this.#send(request, blocks, response);
  }

  #locate({ input }: Request): { readonly marker: string | null; readonly position: number } {
    let position = 0;
    for (const { type, role, content } of input.toReversed()) {
      if (type === 'function_call' || role === 'assistant') position += 1;
      const prompt = role === 'user' ? (content ?? []).map(({ text }) => text ?? '').join('\n') : '';
      const marker = this.findMarker(prompt);
      if (marker !== null) return { marker, position };
    }
    return { marker: null, position: 0 };
  }

  #send({ tools }: Request, blocks: readonly Block[], response: ServerResponse): void {
    const items = blocks.map((block) => {
      if ('text' in block) {
        const content = [{ type: 'output_text', text: block.text }];
        return { type: 'message', id: this.nextId('msg'), role: 'assistant', content };
      }
      const namespace = tools.find((tool) => tool.tools?.some(({ name }) => name === block.tool) === true)?.name;
      return {
        type: 'function_call',
        id: this.nextId('fc'),
        call_id: this.nextId('call'),
        name: block.tool,
        ...(namespace !== undefined && { namespace }),
        arguments: JSON.stringify(block.input),
      };
    });
    const id = this.nextId('resp');
    const { input, cached, output } = ANSWER_TOKENS;
    const usage = {
      input_tokens: input + cached,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + cached + output,
    };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    sendEvent(response, 'response.created', { response: { id } });
    for (const [index, item] of items.entries()) {
      sendEvent(response, 'response.output_item.added', { output_index: index, item });
      sendEvent(response, 'response.output_item.done', { output_index: index, item });
    }
    sendEvent(response, 'response.completed', { response: { id, usage } });
    response.end();
  }
}
