import { destination, type LoggerOptions, pino } from 'pino';
import type { Logger } from '../shared/index.js';
import { REDACTED, sanitizeJsonText } from '../shared/sanitize/index.js';

/** Fields that contain headers or secrets, at the top level and one level below. */
const SECRET_FIELDS = ['headers', 'authorization', 'cookie', 'password', 'secret', 'token', 'env', 'connectionParams'];

/**
 * Options that remove secrets from log lines. Outside data is sanitized when it enters the process; this is the second line of
 * defense.
 */
const REDACTING: LoggerOptions = {
  redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: REDACTED },
  hooks: {
    streamWrite(line) {
      const { value, changes } = sanitizeJsonText(line);
      return changes === null ? line : `${JSON.stringify(value)}\n`;
    },
  },
};

/**
 * Creates a logger that writes JSON lines to stderr. The ready line and `--json` output use stdout.
 * @param fields fields of every line
 */
export function createLogger(level: string, fields: object | null = null): Logger {
  return pino({ ...REDACTING, level, base: fields, timestamp: pinoTimestamp }, destination({ dest: 2, sync: true }));
}

function pinoTimestamp(): string {
  return `,"time":"${new Date().toISOString()}"`;
}

export const silentLogger: Logger = pino({ level: 'silent' });
