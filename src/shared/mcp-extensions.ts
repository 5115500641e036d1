/** Path of the WebSocket endpoint for taps, with `server` and `instance` in the query. */
export const TAP_PATH = '/tap';

/** Notification from a tap about an answered call of the observed client: `{tool, arguments, result | error}`. */
export const TAP_CALL_METHOD = 'notifications/swarmlens/call';

/** Close code and reason of a tap whose server has exited. */
export const TAP_CLOSE_ENDED = { code: 1000, reason: 'the session has ended' } as const;

/** Close codes for rejected taps, which do not reconnect. */
export const TAP_CLOSE_REJECTED = { badRequest: 4400, nameIsTaken: 4409 } as const;

export function isTapRejection(code: number): boolean {
  return code >= 4_400 && code <= 4_499;
}

/** Key in `capabilities.experimental` by which a simulator announces that its data is simulated. */
export const SIMULATED_CAPABILITY = 'swarmlens/simulated';

/** Largest JSON-RPC message that sessions, taps and simulators accept, in bytes. */
export const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
