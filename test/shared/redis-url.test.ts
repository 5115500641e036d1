import { expect, test } from 'vitest';
import { parseRedisUrl, type RedisAddress } from '../../src/shared/index.js';

const SINGLE: RedisAddress = {
  kind: 'single',
  tls: false,
  hosts: [{ host: 'a.b', port: 6379 }],
  username: null,
  password: null,
  masterName: null,
  db: 0,
};
const TWO = [
  { host: 'a', port: 1 },
  { host: 'b', port: 2 },
];

test.each<[string, Partial<RedisAddress>]>([
  ['redis://a.b', {}],
  ['redis://a.b/', {}],
  ['redis://a.b:7/3', { hosts: [{ host: 'a.b', port: 7 }], db: 3 }],
  ['rediss://[::1]:7', { tls: true, hosts: [{ host: '::1', port: 7 }] }],
  ['redis://:p%40w@a.b', { password: 'p@w' }],
  ['redis://pw@a.b', { password: 'pw' }],
  ['redis://me:p:w@x@a.b', { username: 'me', password: 'p:w@x' }],
  ['redis+cluster://:pw@a:1,b:2', { kind: 'cluster', hosts: TWO, password: 'pw' }],
  ['rediss+cluster://a:1,b:2', { kind: 'cluster', hosts: TWO, tls: true }],
  [
    'redis+sentinel://:pw@a:1,b:2/my%20master/4',
    { kind: 'sentinel', hosts: TWO, password: 'pw', masterName: 'my master', db: 4 },
  ],
  ['rediss+sentinel://a/m', { kind: 'sentinel', hosts: [{ host: 'a', port: 26_379 }], tls: true, masterName: 'm' }],
])('parseRedisUrl parses %s', (url, expected) => {
  expect(parseRedisUrl(url)).toEqual({ ...SINGLE, ...expected });
});

test.each([
  '',
  'memory',
  'http://a',
  'redis:a',
  'redis://',
  'redis://a,b',
  'redis://a:0',
  'redis://a:65536',
  'redis://a:x',
  'redis://a/x',
  'redis://a/1/2',
  'redis://a?x',
  'redis://a#x',
  'redis://:@a',
  'redis://:%zz@a',
  'redis+sentinel://a',
  'redis+sentinel://a/',
  'redis+sentinel://a,/m',
  'redis+cluster://a/1',
  'redis+other://a',
])('parseRedisUrl rejects %j', (url) => {
  expect(parseRedisUrl(url)).toBeNull();
});
