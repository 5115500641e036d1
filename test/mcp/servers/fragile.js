import { send, serve, text, tools } from './serve.js';

/**
 * Server that does not survive an unknown request before `initialize`, or lists versions of the future. Writes "started" to
 * standard error, unless it is silent.
 */
const [behavior] = process.argv.slice(2);
if (behavior !== 'hangs silently') process.stderr.write('started\n');
let isHanging = false;

const unsupported = (supported) => () => {
  throw { code: -32022, message: 'Unsupported protocol version', data: { supported } };
};
const discover = {
  exits: () => process.exit(1),
  hangs: () => {
    isHanging = true;
    process.stderr.write('hanging\n');
  },
  'hangs silently': () => {
    isHanging = true;
  },
  ignores: () => undefined,
  misleads: () => ({ supported: true }),
  'answers without an id': () => send({ error: { code: -32601, message: 'Method not found' } }),
  future: () => ({ resultType: 'complete', supportedVersions: ['2031-05-01', '2030-01-01'], capabilities: {} }),
  'rejects as future': unsupported(['2031-05-01']),
};
const initialize = {
  future: unsupported(['2031-05-01', '2030-01-01']),
  'rejects as future': unsupported(['2031-05-01']),
  past: () => ({ protocolVersion: '2023-01-01', capabilities: {}, serverInfo: { name: 'past', version: '1' } }),
}[behavior];

serve({
  ...tools({ echo: (args) => text(args) }),
  ...(discover[behavior] === undefined ? {} : { 'server/discover': discover[behavior] }),
  ...(initialize === undefined ? {} : { initialize }),
});
if (behavior?.startsWith('hangs')) {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (...args) => isHanging || write(...args);
}
