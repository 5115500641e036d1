import { HttpPeer } from './http-peer.js';
import { SocketPeer, WebSocketPeer } from './byte-peers.js';
import { EVENTS, LINES } from './noise.js';
import { describeTransport } from './transport-contract.js';

describeTransport('tcp', {
  start: () => SocketPeer.start('tcp'),
  noise: LINES,
  closed: { reason: 'the server closed the connection', isOrderly: true },
  rounds: 20,
  ids: 100,
  resources: ['TCPSocketWrap', 'Timeout'],
});

describeTransport('ws', {
  start: () => WebSocketPeer.start(),
  noise: [...LINES, Buffer.from('{no message}'), Buffer.from('no line')],
  closed: { reason: 'the server closed the connection (1000 too old)', isOrderly: true },
  rounds: 20,
  ids: 100,
  resources: ['TCPSocketWrap', 'Timeout'],
});

describeTransport('http', {
  start: () => HttpPeer.start('http'),
  noise: EVENTS,
  closed: { reason: 'the server does not know the session any more', isOrderly: false },
  rounds: 20,
  ids: 50,
  resources: ['Timeout'],
});

describeTransport('sse', {
  start: () => HttpPeer.start('sse'),
  noise: EVENTS,
  closed: { reason: 'the event stream broke off', isOrderly: false },
  rounds: 20,
  ids: 50,
  resources: ['Timeout'],
});
