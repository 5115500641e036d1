import { destination, type LoggerOptions, pino } from 'pino';
import type { Logger } from '../shared/index.js';
import { REDACTED, sanitizeJsonText } from '../shared/sanitize/index.js';

/** Fields that hold headers, or say by their name that they are secret; the same one level down. */
const SECRET_FIELDS = ['headers', 'authorization', 'cookie', 'password', 'secret', 'token', 'env', 'connectionParams'];

/**
 * Logs are clean because what goes into them is, at the border where it comes in. This is the second lock: fields that
 * must never be there, and known secrets in the line as it is written, wherever they came from.
 */
const CLEAN: LoggerOptions = {
  redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: REDACTED },
  hooks: {
    streamWrite(line) {
      const { value, changes } = sanitizeJsonText(line);
      return changes === null ? line : `${JSON.stringify(value)}\n`;
    },
  },
};

/**
 * JSON lines on stderr, because stdout belongs to the ready line and to `--json` answers.
 * @param fields in every line
 */
export function createLogger(level: string, fields: object | null = null): Logger {
  return pino({ ...CLEAN, level, base: fields, timestamp: pinoTimestamp }, destination({ dest: 2, sync: true }));
}

function pinoTimestamp(): string {
  return `,"time":"${new Date().toISOString()}"`;
}

export const silentLogger: Logger = pino({ level: 'silent' });
