import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { ANSWER_TOKENS, type Block, ScriptedModel, sendEvent, sendJson } from './scripted-model.js';

const requestSchema = z.object({
  model: z.string(),
  stream: z.boolean().default(false),
  tools: z.array(z.unknown()).default([]),
  messages: z.array(
    z.object({
      role: z.string(),
      content: z.union([
        z.string().transform((text) => [{ type: 'text', text }]),
        z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
      ]),
    }),
  ),
});
type Request = z.infer<typeof requestSchema>;

/** Messages API with scripted answers. The prompt of a conversation is its newest text with a marker. */
export class AnthropicModel extends ScriptedModel {
  protected async respond(path: string, body: unknown, response: ServerResponse): Promise<void> {
    if (path.includes('count_tokens')) {
      sendJson(response, 200, { input_tokens: ANSWER_TOKENS.input });
      return;
    }
    const { data: request } = requestSchema.safeParse(body);
    if (!path.startsWith('/v1/messages') || request === undefined) {
      sendJson(response, 404, { type: 'error', error: { type: 'not_found_error', message: path } });
      return;
    }
    const { marker, position } = this.#locate(request);
    const { blocks, error } = await this.answer(marker, position);
    if (error !== undefined) {
      sendJson(response, 400, { type: 'error', error: { type: error, message: 'No.' } });
      return;
    }
    this.#send(request, blocks, response);
  }

  #locate({ messages, tools }: Request): { readonly marker: string | null; readonly position: number } {
    // Requests without tools are helpers of the program, such as for titles.
    if (tools.length === 0) return { marker: null, position: 0 };
    let position = 0;
    for (const { role, content } of messages.toReversed()) {
      if (role === 'assistant') position += 1;
      const prompt = role === 'user' ? content.map(({ text }) => text ?? '').join('\n') : '';
      const marker = this.findMarker(prompt);
      if (marker !== null) return { marker, position };
    }
    return { marker: null, position: 0 };
  }

  #send({ model, stream }: Request, blocks: readonly Block[], response: ServerResponse): void {
    const content = blocks.map((block) =>
      'tool' in block
        ? { type: 'tool_use', id: this.nextId('toolu'), name: block.tool, input: block.input }
        : { type: 'text', text: block.text },
    );
    const usage = {
      input_tokens: ANSWER_TOKENS.input,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: ANSWER_TOKENS.cached,
      output_tokens: ANSWER_TOKENS.output,
    };
    const stop = content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn';
    const message = { id: this.nextId('msg'), type: 'message', role: 'assistant', model, stop_sequence: null };
    if (!stream) {
      sendJson(response, 200, { ...message, content, stop_reason: stop, usage });
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // The first numbers of a stream are placeholders.
    const start = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
    sendEvent(response, 'message_start', { message: start });
    for (const [index, block] of content.entries()) {
      const [begin, delta] =
        'text' in block
          ? [
              { type: 'text', text: '' },
              { type: 'text_delta', text: block.text },
            ]
          : [
              { ...block, input: {} },
              { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
            ];
      sendEvent(response, 'content_block_start', { index, content_block: begin });
      sendEvent(response, 'content_block_delta', { index, delta });
      sendEvent(response, 'content_block_stop', { index });
    }
    const end = { stop_reason: stop, stop_sequence: null };
    sendEvent(response, 'message_delta', { delta: end, usage: { output_tokens: ANSWER_TOKENS.output } });
    sendEvent(response, 'message_stop', {});
    response.end();
  }
}
