import { HttpPeer } from './http-peer.js';
import { SocketPeer, WebSocketPeer } from './byte-peers.js';
import { describeTransport } from './transport-contract.js';

const lines = ['🐝 starting …\n', '\n', '{"not":"a message"}\n[1,2\n', '\u001b[32m[INFO]\u001b[0m called\r\n'];
const events = [
  ': nothing\n\n',
  'data: 🐝 starting …\n\n',
  'data: {"not":"a message"}\n\n',
  'event: other\ndata: 1\n\n',
];
const bytes = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));

describeTransport('stdio', {
  start: () => SocketPeer.start('stdio'),
  noise: bytes(lines),
  closed: { reason: 'the process ended with exit code 0', isOrderly: false },
  rounds: 10,
  ids: 200,
  resources: ['ProcessWrap', 'PipeWrap', 'TCPSocketWrap', 'Timeout'],
});

describeTransport('tcp', {
  start: () => SocketPeer.start('tcp'),
  noise: bytes(lines),
  closed: { reason: 'the server closed the connection', isOrderly: true },
  rounds: 200,
  ids: 500,
  resources: ['TCPSocketWrap', 'Timeout'],
});

describeTransport('ws', {
  start: () => WebSocketPeer.start(),
  noise: bytes([...lines, '{no message}', 'no line']),
  closed: { reason: 'the server closed the connection (1000 too old)', isOrderly: true },
  rounds: 200,
  ids: 1000,
  resources: ['TCPSocketWrap', 'Timeout'],
});

describeTransport('http', {
  start: () => HttpPeer.start('http'),
  noise: bytes(events),
  closed: { reason: 'the server no longer knows the session', isOrderly: false },
  rounds: 50,
  ids: 50,
  resources: ['Timeout'],
});

describeTransport('sse', {
  start: () => HttpPeer.start('sse'),
  noise: bytes(events),
  closed: { reason: 'the event stream was lost', isOrderly: false },
  rounds: 50,
  ids: 50,
  resources: ['Timeout'],
});
