/** Parses the `data` fields of a `text/event-stream` response as JSON. */
export async function* readServerSentEvents(response: Response): AsyncGenerator {
  if (response.body === null) throw new Error('no body');
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined && data !== '') yield JSON.parse(data);
    }
  }
}
