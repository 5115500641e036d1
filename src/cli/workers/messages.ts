/** What a worker is told by the process that keeps it. */
export const STOP_MESSAGE = 'swarmlens: stop';

/** What a worker says when it can be told something: what was said before went past it. */
export const READY_MESSAGE = 'swarmlens: here';

/** Sent by a worker when each of its servers has answered or failed once, and `/readyz` answers with 200. */
export const DISCOVERED_MESSAGE = 'swarmlens: discovered';

/** A worker is asked for its own metrics; it answers with the same and their text, or no text when they cannot be read. */
export const OWN_METRICS_REQUEST = 'swarmlens: own metrics\n';

/** A worker asks for the metrics of all; it is answered likewise. */
export const ALL_METRICS_REQUEST = 'swarmlens: all metrics\n';

/** The text of an answer; `null`: it is none to this. */
export function parseAnswer(message: unknown, question: string): string | null {
  return typeof message === 'string' && message.startsWith(question) ? message.slice(question.length) : null;
}
