import { describe, expect, test } from 'vitest';
import { parseClientMessage } from '../../../src/server/websocket/client-message.js';

const subscribe = (id: unknown, query: unknown = '{ __typename }', rest: object = {}): string =>
  JSON.stringify({ id, type: 'subscribe', payload: { query, ...rest } });

function problemOf(message: string | Buffer): string | null {
  return parseClientMessage(Buffer.from(message), typeof message !== 'string').problem;
}

describe('parseClientMessage', () => {
  test.each<[string, string | Buffer, string]>([
    ['next', '{"id":"1","type":"next","payload":{"data":{}}}', 'Clients must not send messages of type "next"'],
    ['connection_ack', '{"type":"connection_ack"}', 'Clients must not send messages of type "connection_ack"'],
    [
      'error',
      '{"id":"1","type":"error","payload":[{"message":"m"}]}',
      'Clients must not send messages of type "error"',
    ],
    ['error without a payload', '{"id":"1","type":"error"}', 'Clients must not send messages of type "error"'],
    ['an unknown type', '{"type":"start"}', 'Unknown message type "start"'],
    ['a property of objects as type', '{"type":"__proto__"}', 'Unknown message type "__proto__"'],
    ['a type that is no string', '{"type":1}', 'Message has no string "type"'],
    ['no type', '{"id":"1"}', 'Message has no string "type"'],
    ['null', 'null', 'Message has no string "type"'],
    ['an array', '[{"type":"ping"}]', 'Message has no string "type"'],
    ['no JSON', 'ping', 'Message is not valid JSON'],
    ['an empty message', '', 'Message is not valid JSON'],
    ['a binary frame', Buffer.from('{"type":"ping"}'), 'Binary messages are not supported; send JSON as text'],
    [
      'connection_init with a text',
      '{"type":"connection_init","payload":"secret"}',
      '"payload" of "connection_init" must be an object',
    ],
    ['a ping with a text', '{"type":"ping","payload":"secret"}', '"payload" of "ping" must be an object'],
    ['a pong with a list', '{"type":"pong","payload":[1]}', '"payload" of "pong" must be an object'],
    ['subscribe without an id', subscribe(undefined), '"subscribe" message expects the \'id\''],
    ['subscribe with a number as id', subscribe(1), '"subscribe" message expects the \'id\''],
    ['subscribe with an empty id', subscribe(''), '"subscribe" message requires a non-empty \'id\''],
    ['subscribe without a payload', '{"id":"1","type":"subscribe"}', "'payload' property to be an object"],
    ['subscribe without a query', subscribe('1', null), "'query' property to be a string"],
    ['subscribe with a list of variables', subscribe('1', '{ a }', { variables: [] }), "'variables'"],
    ['subscribe with a name that is no string', subscribe('1', '{ a }', { operationName: 1 }), "'operationName'"],
    ['subscribe with extensions that are no object', subscribe('1', '{ a }', { extensions: 'x' }), "'extensions'"],
    ['complete without an id', '{"type":"complete"}', '"complete" message expects the \'id\''],
  ])('returns the problem of %s', (_, message, problem) => {
    expect(problemOf(message)).toContain(problem);
    expect(parseClientMessage(Buffer.from(message), typeof message !== 'string').text).toBeNull();
  });

  test.each([
    '{"type":"connection_init"}',
    '{"type":"connection_init","payload":{"authorization":"Bearer secret"}}',
    '{"type":"ping"}',
    '{"type":"ping","payload":{"at":1}}',
    '{"type":"pong"}',
    '{"type":"pong","payload":{}}',
    subscribe('1'),
    subscribe('1', '{ a }', { variables: null, operationName: null, extensions: {}, unknown: 1 }),
    '{"id":"1","type":"complete"}',
    '{"id":"\u00e9","type":"complete","more":[]}',
  ])('returns the text of the valid message %s', (text) => {
    expect(parseClientMessage(Buffer.from(text), false)).toEqual({ text, problem: null });
  });

  test('quotes at most 40 characters of an unknown type', () => {
    expect(problemOf(JSON.stringify({ type: `"${'a'.repeat(1_000)}` }))).toBe(
      `Unknown message type "\\"${'a'.repeat(39)}"`,
    );
  });

  test.each(['connection_init', 'ping', 'pong'])(
    'does not quote the payload of %s, which may contain a token',
    (type) => {
      for (const payload of ['secret', ['secret'], 1])
        expect(problemOf(JSON.stringify({ type, payload }))).not.toContain('secret');
    },
  );
});
