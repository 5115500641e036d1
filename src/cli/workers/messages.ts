/** Message to a worker that requests its shutdown. */
export const STOP_MESSAGE = 'swarmlens: stop';

/** Message of a worker that it can receive messages. Earlier messages are lost. */
export const READY_MESSAGE = 'swarmlens: here';

/** Sent by a worker when each of its servers has answered or failed once, and `/readyz` answers with 200. */
export const DISCOVERED_MESSAGE = 'swarmlens: discovered';

/** Request for the metrics of a worker. The answer repeats it, followed by the metrics, or by nothing if reading them failed. */
export const OWN_METRICS_REQUEST = 'swarmlens: own metrics\n';

/** Request of a worker for the metrics of all workers. The answer repeats it, followed by the metrics, or by nothing. */
export const ALL_METRICS_REQUEST = 'swarmlens: all metrics\n';

/** Returns the text of an answer, or null if the message does not answer the request. */
export function parseAnswer(message: unknown, request: string): string | null {
  return typeof message === 'string' && message.startsWith(request) ? message.slice(request.length) : null;
}
