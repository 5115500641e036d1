import { parse } from 'graphql';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detectServerType, guessServerType } from '../../src/adapters/detect-server-type.js';
import { cleanText, id, normalizeWord, parseTimestamp } from '../../src/adapters/responses/value-schemas.js';
import { parseBearerToken } from '../../src/auth/bearer-token.js';
import { decodeText } from '../../src/client-files/decode-text.js';
import { parseDocument, readServerLists } from '../../src/client-files/index.js';
import { RedisKeys } from '../../src/cluster/redis/redis-keys.js';
import { DEFAULT_LIMITS } from '../../src/config/index.js';
import { expandVariables } from '../../src/config/expand-variables.js';
import { formatKey, formatValue } from '../../src/config/issues.js';
import { parseMessage } from '../../src/mcp/transports/parse-message.js';
import { EventStreamRewriter } from '../../src/mcp/transports/http/event-stream.js';
import { OutputTail } from '../../src/mcp/transports/stdio/output-tail.js';
import { FrameSplitter } from '../../src/mcp/transports/websocket/frame-splitter.js';
import { isServerName, parseServerId } from '../../src/model/index.js';
import { measureJsonBytes, measureJsonDepth } from '../../src/server/limits/json-size.js';
import { negotiateEncoding } from '../../src/server/plugins/content-encoding.js';
import { prefersPage } from '../../src/server/plugins/media-types.js';
import { didYouMean, LineSplitter, normalizeHost, parseRedisUrl, truncateCloseReason } from '../../src/shared/index.js';
import { parseJsonInTurns } from '../../src/shared/json/index.js';
import {
  hasControlCharacters,
  isSecretName,
  isSingleLine,
  redact,
  sanitizeJson,
  sanitizeJsonInTurns,
  sanitizeJsonText,
  sanitizeJsonTextInTurns,
  SecretRedactor,
  toPrintableLine,
} from '../../src/shared/sanitize/index.js';
import { decodeCursor } from '../../src/state/index.js';
import { parseMessages } from '../../src/tap/rpc-message.js';
import { ResponseFilter } from '../../src/tap/stdio/response-filter.js';
import { parseUplinkUrl } from '../../src/tap/uplink/uplink-url.js';
import { toLabelValue } from '../../src/telemetry/label-values.js';
import { isAuthenticationError } from '../../src/upstream/discovery/probe-endpoint.js';
import { runs } from '../support/fuzz-inputs.js';
import { growsTooFast } from '../support/growth.js';
import { buildText, PATTERN_TOKENS, type RepetitiveText, repetitiveText } from '../support/pattern-texts.js';

const CHUNK_LENGTH = 4_096;
const secretRedactor = new SecretRedactor(['hunter-two-Zq81', 'aaaa', '::::', '...x', 'a"b\\c d']);

/** Splits a text into the chunks in which a stream delivers it. */
function chunksOf(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / CHUNK_LENGTH) }, (_, index) =>
    bytes.subarray(index * CHUNK_LENGTH, (index + 1) * CHUNK_LENGTH),
  );
}

function ignoreErrors(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

async function rewriteEvents(text: string): Promise<void> {
  const controller = { enqueue: () => undefined, error: () => undefined, terminate: () => undefined, desiredSize: 1 };
  const rewriter = new EventStreamRewriter({
    maxBytes: 1_000_000,
    onTooLong: () => undefined,
    maxDirectBytes: 1_024,
    replace: (data) => Promise.resolve(String(data.length)),
  });
  for (const chunk of chunksOf(text)) await rewriter.transform(chunk, controller);
}

function filterResponses(text: string): void {
  const filter = new ResponseFilter({
    prefix: 'swarmlens-',
    maxHeldBytes: 1_000_000,
    expectsResponse: () => true,
    pass: () => undefined,
  });
  for (const chunk of chunksOf(text)) filter.push(chunk);
  filter.end();
}

/** Everything that reads texts of other programs, or of the configuration. */
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  redact,
  'redact of configured secrets': (text) => secretRedactor.redact(text, true),
  isSecretName,
  toPrintableLine: (text) => toPrintableLine(text, 300),
  hasControlCharacters,
  isSingleLine,
  'sanitizeJson of a text': sanitizeJson,
  'sanitizeJson of a name': (text) => sanitizeJson({ [text]: text }),
  'sanitizeJson of words': (text) => sanitizeJson(text.split(' ')),
  sanitizeJsonText,
  'sanitizeJsonText of a JSON text': (text) => sanitizeJsonText(JSON.stringify({ text })),
  sanitizeJsonInTurns: (text) => sanitizeJsonInTurns([text, text.split(':')]),
  'sanitizeJsonTextInTurns of JSON': (text) =>
    sanitizeJsonTextInTurns(JSON.stringify({ [text]: [text, text.split('a')] })),
  sanitizeJsonTextInTurns,
  parseJsonInTurns: (text) => parseJsonInTurns(Buffer.from(text)).catch(() => null),
  'parseMessage of a message': (text) =>
    ignoreErrors(() => parseMessage({ jsonrpc: '2.0', method: text, params: { text, words: text.split(' ') } })),
  LineSplitter: (text) => {
    const lines = new LineSplitter(1_000_000, () => undefined);
    for (const chunk of chunksOf(text)) lines.push(chunk);
  },
  FrameSplitter: (text) => {
    const frames = new FrameSplitter(
      1_000_000,
      () => undefined,
      () => undefined,
    );
    for (const chunk of chunksOf(text)) frames.push(chunk);
  },
  OutputTail: (text) => {
    const tail = new OutputTail(() => undefined);
    for (const chunk of chunksOf(text)) tail.push(chunk.toString());
    return tail.toString();
  },
  EventStreamRewriter: rewriteEvents,
  parseMessages: (text) => parseMessages(Buffer.from(text)),
  ResponseFilter: filterResponses,
  'ResponseFilter within an object': (text) => filterResponses(`{"a":"${text}`),
  expandVariables: (text) =>
    expandVariables(text, [], { env: {}, directory: '/' }, { problems: new Map(), variables: new Map() }),
  parseRedisUrl: (text) => [parseRedisUrl(text), parseRedisUrl(`redis://${text}`), parseRedisUrl(`redis://a@${text}`)],
  'parseDocument of JSON': (text) => ignoreErrors(() => parseDocument(text, 'x.json')),
  'parseDocument of a JSON text': (text) => parseDocument(JSON.stringify({ [text]: text }), 'x.json').lineOf([text]),
  'parseDocument of TOML': (text) => ignoreErrors(() => parseDocument(text, 'x.toml')),
  'decodeText of a file': (text) => decodeText(Buffer.from(text)),
  readServerLists: (text) => readServerLists({ mcpServers: { [text]: {} } }),
  formatValue: (text) => formatValue(text, ['port']),
  formatKey: (text) => formatKey([text]),
  didYouMean: (text) => didYouMean(text, [text.slice(1), text.slice(2), 'port']),
  parseBearerToken: (text) => [text, `Bearer ${text}`].map((header) => ignoreErrors(() => parseBearerToken(header))),
  decodeCursor: (text) =>
    [text, Buffer.from(text).toString('base64url')].map((cursor) => ignoreErrors(() => decodeCursor(cursor))),
  'names of agents': (text) => [cleanText(text, 256), normalizeWord(text), id.safeParse(text)],
  parseTimestamp,
  'names of servers': (text) => [
    isServerName(text),
    parseServerId(text),
    detectServerType({ name: text, tools: [text] }),
  ],
  guessServerType: (text) => guessServerType(text, ['-c', text]),
  toLabelValue,
  normalizeHost,
  truncateCloseReason,
  isAuthenticationError,
  parseUplinkUrl: (text) => parseUplinkUrl(`http://localhost/${text}`),
  'channels of Redis': (text) => new RedisKeys('swarmlens').parseServerId(`swarmlens:{${text}}:changes`),
  'Accept header': (text) => prefersPage({ headers: { accept: text } }),
  'Accept-Encoding header': (text) => ignoreErrors(() => negotiateEncoding(text)),
  'sizes of variables': (text) => [
    measureJsonBytes({ [text]: text.split(' ') }, 1_000_000),
    measureJsonDepth({ [text]: text.split(' ') }, 64),
  ],
};

/** Length in UTF-16 units of the longer text of a comparison. */
const LENGTH = 65_536;

function describeText({ prefix, unit, suffix }: RepetitiveText): string {
  return `${JSON.stringify(prefix)} + n × ${JSON.stringify(unit)} + ${JSON.stringify(suffix)}`;
}

describe('time for a text that repeats any tokens of the patterns', () => {
  test('the tokens contain the words of the patterns', () => {
    for (const word of ['-----BEGIN ', 'passw', '://', 'Bearer', '${', ';', ')', '\u001b']) {
      expect(PATTERN_TOKENS).toContain(word);
    }
  });

  test('is found to grow too fast for a pattern that takes quadratic time', async () => {
    const prepare = (length: number) => () => /[)\]}.]+$/.test(`${')'.repeat(length)}!`);
    expect(await growsTooFast(prepare, 8_192)).toBe(true);
  });

  test.each(Object.entries(READERS))(
    'takes at most 24 times as long when the text grows eightfold: %s',
    async (name, read) => {
      await fc.assert(
        fc.asyncProperty(repetitiveText, async (text) => {
          const prepare = (length: number): (() => unknown) => {
            const built = buildText(text, length);
            return () => read(built);
          };
          expect(await growsTooFast(prepare, LENGTH), `${name}: ${describeText(text)}`).toBe(false);
        }),
        {
          ...runs(40),
          examples: EXAMPLES.map((unit) => [{ prefix: 'password=', unit, suffix: '' }]),
          endOnFailure: true,
        },
      );
    },
  );

  test('takes at most 24 times as long when a GraphQL document grows eightfold up to the limit', async () => {
    const read = (text: string): unknown =>
      ignoreErrors(() => parse(text, { maxTokens: DEFAULT_LIMITS.maxDocumentTokens }));
    await fc.assert(
      fc.asyncProperty(repetitiveText, async (text) => {
        const prepare = (length: number): (() => unknown) => {
          const built = buildText(text, length);
          return () => [read(built), read(`{ a(b: """${built}`), read(`{ a(b: "${built}`), read(`{ ${built}`)];
        };
        expect(await growsTooFast(prepare, DEFAULT_LIMITS.maxDocumentBytes), describeText(text)).toBe(false);
      }),
      runs(40),
    );
  });
});

/** Units that took more than linear time once. */
const EXAMPLES = [
  ...[
    ')',
    '\u001b;?',
    ';?',
    '\u001b[',
    '\u001b]8;;',
    '{password=',
    '[token: ',
    '"',
    '\\"',
    'password="',
    'password=\\"',
  ],
  ...["password=\\\\\\'", 'password="\\', 'key', 'key   ', '@', '://', '://a:', '://@', 'Bearer ', 'Basic aaaaaa'],
  ...[
    'sk-',
    'eyJ',
    '-eyJ',
    'aaaaaaaaaaa.',
    'YWJj',
    '-a',
    'a',
    '-----BEGIN PRIVATE KEY-----',
    '{',
    '[',
    ' ',
    '7',
    '=',
    ':',
  ],
  ...['\r', '\n', '\r\n', '${A:-'],
];
