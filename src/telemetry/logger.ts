import { destination, pino } from 'pino';

type Log = (fields: object, message: string) => void;

/** Structured log: an object of fields, then a sentence. Fields never hold secrets. */
export interface Logger {
  readonly debug: Log;
  readonly info: Log;
  readonly warn: Log;
  readonly error: Log;
}

/** JSON lines on stderr, because stdout belongs to the ready line and to `--json` answers. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null, timestamp: pinoTimestamp }, destination({ dest: 2, sync: true }));
}

function pinoTimestamp(): string {
  return `,"time":"${new Date().toISOString()}"`;
}

export const silentLogger: Logger = pino({ level: 'silent' });
