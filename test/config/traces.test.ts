import { describe, expect, test } from 'vitest';
import { resolveTracesUrl } from '../../src/config/traces.js';

const FILE = 'http://collector:4318';

describe('resolveTracesUrl', () => {
  test.each<[Record<string, string>, string | undefined, string | null]>([
    [{}, undefined, null],
    [{}, FILE, 'http://collector:4318/v1/traces'],
    [{}, 'https://c.example/otlp/', 'https://c.example/otlp/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://env:4318' }, FILE, 'http://env:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, FILE, 'http://collector:4318/v1/traces'],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://env:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://own/t' },
      FILE,
      'http://own/t',
    ],
    [{ OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://env:4318' }, FILE, null],
  ])('returns for environment %j and file %j: %j', (env, endpoint, url) => {
    const problems: string[] = [];
    expect([resolveTracesUrl(env, endpoint, problems), problems]).toEqual([url, []]);
  });

  test.each<[Record<string, string>, string | undefined, RegExp]>([
    [{}, 'collector:4318', /^swarmlens\.otlpEndpoint: is "collector:4318" – expected a URL/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://x' }, FILE, /^OTEL_EXPORTER_OTLP_ENDPOINT: is "grpc:\/\/x"/],
    [
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://me:geheim@x/' },
      FILE,
      /^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: .*HEADERS$/,
    ],
  ])('rejects environment %j with file %j and hides the password', (env, endpoint, message) => {
    const problems: string[] = [];
    expect(resolveTracesUrl(env, endpoint, problems)).toBe(null);
    expect(problems).toEqual([expect.stringMatching(message)]);
    expect(problems.join()).not.toContain('geheim');
  });
});
