import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers';
import { send, serve, text, tools } from './serve.js';

const functions = {
  echo: (args) => text(args),
  environment: () => text({ cwd: process.cwd(), env: process.env, argv: process.argv.slice(2) }),
  sentence: () => ({ content: [{ type: 'text', text: 'all is well' }] }),
  structured: () => ({
    content: [{ type: 'text', text: '{"from":"text"}' }],
    structuredContent: { from: 'structure' },
  }),
  failing: () => ({ ...text({ why: 'because' }), isError: true }),
  bare: () => ({}),
  odd: () => ({
    content: [{ type: 'image', data: 1 }, null, { type: 'application/json', text: '{"odd":true}', annotations: null }],
    isError: 'no',
    extra: 1,
  }),
  mute: () => undefined,
  refusing: () => {
    throw { code: -32602, message: 'no such swarm' };
  },
  busy: () => {
    throw { code: -32000, message: 'too many requests', data: { retryAfter: 1.5 } };
  },
  exit: () => {
    process.stderr.write('\u001b[31mout of ideas\u001b[0m\n');
    process.exit(3);
  },
  'close input': () => {
    process.stderr.write('no more of this\n');
    closeSync(0);
    process.once('SIGTERM', () => process.exit(9));
    setInterval(() => undefined, 1_000);
    return text('closed');
  },
  kill: () => process.kill(process.pid, 'SIGKILL'),
  last: () => {
    process.stdout.write('', () => setImmediate(() => process.exit(0)));
    return text('goodbye');
  },
  grow: () => {
    functions.grown = () => text('new');
    send({ method: 'notifications/tools/list_changed' });
    return text('grown');
  },
};

serve(tools(functions));
