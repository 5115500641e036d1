import { SocketPeer } from './byte-peers.js';
import { LINES } from './noise.js';
import { describeTransport } from './transport-contract.js';

describeTransport('stdio', {
  start: () => SocketPeer.start('stdio'),
  noise: LINES,
  closed: { reason: 'the process ended with exit code 0', isOrderly: false },
  rounds: 10,
  ids: 200,
  resources: ['ProcessWrap', 'PipeWrap', 'TCPSocketWrap', 'Timeout'],
});
