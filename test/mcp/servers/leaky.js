// Puts secrets into everything it sends. Reads them as JSON list from the environment. Has agents of its own type.
import { send, serve, text, tools } from './serve.js';

const secrets = JSON.parse(process.env.TEXTS ?? process.env.SECRETS);
const all = secrets.join('\n');
let polls = 0;
let refuses = false;

const refusal = () => ({ code: -32000, message: `no: ${all}`, data: { all } });

const functions = {
  list_workers: () => {
    if (refuses) throw refusal();
    polls += 1;
    const workers = secrets.map((secret, index) => ({
      uuid: `w-${index}`,
      label: `worker ${polls} ${secret}`,
      kind: secret,
      state: 'running',
      skills: [secret, 'typing'],
      team: `team ${secret}`,
      apiKey: 'a plain word',
    }));
    return text({ workers: [...workers, { uuid: all, label: 'its id', state: secrets[0] }, { uuid: 7, [all]: all }] });
  },
  tell: () => {
    send({ method: `notifications/${secrets[0]}`, params: { all, secrets } });
    send({ method: 'notifications/message', params: { level: 'info', data: all } });
    return text({ secrets, nested: { [all]: { all } }, password: 'a plain word', credentials: { user: 'somebody' } });
  },
  say: () => ({ content: [{ type: 'text', text: `Well: ${all}` }] }),
  structure: () => ({ structuredContent: { secrets, token: 'a plain word' } }),
  fail: () => ({ ...text({ error: all }), isError: true }),
  refuse: () => {
    throw refusal();
  },
  break: () => {
    refuses = true;
    return text('from now on');
  },
  mutter: () => {
    process.stderr.write(`${all}\n`);
    process.stdout.write(`not a message: ${all}\n`);
    return text('muttered');
  },
  die: () => {
    process.stderr.write(`${all}\nthat was it\n`, () => process.exit(1));
  },
};

const offered = tools(functions);
serve({
  ...offered,
  initialize: {
    protocolVersion: '2025-06-18',
    capabilities: { tools: { listChanged: true }, experimental: { [secrets[0]]: {} } },
    serverInfo: { name: `leaky ${secrets[0]}`, version: `1 ${secrets[1]}` },
  },
  'tools/list': () => {
    const { tools: list } = offered['tools/list']();
    const odd = secrets.map((secret) => ({ name: `get_${secret}`, description: all, inputSchema: { type: 'object' } }));
    return { tools: [...list, ...odd, { name: 'col\u0007our', inputSchema: { type: 'object' } }] };
  },
});
