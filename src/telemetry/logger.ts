import { destination, pino, type Logger as PinoLogger } from 'pino';

/** Structured log: an object of fields, then a sentence. Fields never hold secrets. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'level'> & {
  child(fields: Readonly<Record<string, unknown>>): Logger;
};

/** JSON lines on stderr, because stdout belongs to the ready line and to `--json` answers. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null, timestamp: pinoTimestamp }, destination({ dest: 2, sync: true }));
}

function pinoTimestamp(): string {
  return `,"time":"${new Date().toISOString()}"`;
}

export const silentLogger: Logger = pino({ level: 'silent' });
