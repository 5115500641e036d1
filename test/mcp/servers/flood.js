import { createInterface } from 'node:readline';
import { send, serve, text, tools } from './serve.js';

/** Number of answers to requests of this server. */
let answers = 0;
const METHODS = ['ping', 'roots/list', 'sampling/createMessage', 'elicitation/create'];

serve(
  tools({
    flood: ({ count }) => {
      for (let index = 0; index < count; index += 1) {
        send({ id: `own-${index}`, method: METHODS[index % METHODS.length], params: {} });
        send({ method: 'notifications/progress', params: { progressToken: index, progress: index } });
        send({ method: 'notifications/message', params: { level: 'info', data: index } });
        send({ method: 'notifications/resources/updated', params: { uri: `file:///${index}` } });
      }
      return text('flooded');
    },
    answers: () => text(answers),
  }),
);
createInterface({ input: process.stdin }).on('line', (line) => {
  if (String(JSON.parse(line).id).startsWith('own-')) answers += 1;
});
