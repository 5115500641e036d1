import { connect } from 'node:net';

/**
 * Sends one HTTP request byte by byte as given and returns the whole response.
 * @param line method and target: `GET /graphql`
 */
export async function sendRaw(
  url: string,
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Promise<RawResponse> {
  const { hostname, port } = new URL(url);
  const all = { host: `${hostname}:${port}`, connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = body === '' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<void>((resolve, reject) => {
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
  socket.write(`${line} HTTP/1.1\r\n${lines.join('')}${length}\r\n${body}`);
  await closed;
  const text = Buffer.concat(chunks).toString();
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...fields] = text.slice(0, end).split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Headers(
      fields.map((field): [string, string] => [
        field.split(':', 1)[0] ?? '',
        field.slice(field.indexOf(':') + 1).trim(),
      ]),
    ),
    body: text.slice(end + 4),
  };
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}
