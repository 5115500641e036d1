// Behaves like ruv-swarm: log lines between messages, errors without an id, a notification before the first answer.
import { send, serve, text, tools } from './serve.js';

process.stdout.write('🐝 starting …\n\n{"not":"a message"}\n[1,2\n');
send({ method: 'server.initialized', params: { ready: true } });
const methods = tools({
  echo: (args) => {
    process.stdout.write('\u001b[32m[INFO]\u001b[0m tool called\r\n');
    send({ method: 'notifications/nobody_knows', params: {} });
    send({ error: { code: -32603, message: 'no id' } });
    send({ id: null, error: { code: -32603, message: 'id is null' } });
    send({ id: 4711, result: {} });
    return text(args);
  },
});

serve(methods, () => send({ error: { code: -32601, message: 'Method not found' } }));
