type Log = (fields: object, message: string) => void;

/** Port of the structured log. Each entry has fields and a message. Fields never contain secrets. */
export interface Logger {
  readonly debug: Log;
  readonly info: Log;
  readonly warn: Log;
  readonly error: Log;
}
