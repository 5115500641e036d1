/** What a tap and a swarmlens have agreed on. A tap joins by a WebSocket at this path, with `server` and `instance` in the query. */
export const TAP_PATH = '/tap';

/** To swarmlens: a call of the person's own client, `{tool, arguments, result | error}`, when it has been answered. */
export const TAP_CALL_METHOD = 'notifications/swarmlens/call';

/** How a tap closes when its server has ended: normal, and with this reason. */
export const TAP_CLOSE_ENDED = { code: 1000, reason: 'the session has ended' } as const;

/** Close codes of a tap that is not wanted, until a person does something. */
export const TAP_CLOSE_REJECTED = { badRequest: 4400, nameIsTaken: 4409 } as const;

export function isTapRejection(code: number): boolean {
  return code >= 4_400 && code <= 4_499;
}

/** Key in `capabilities.experimental` by which a simulator announces that its data is simulated. */
export const SIMULATED_CAPABILITY = 'swarmlens/simulated';

/** Largest JSON-RPC message that sessions, taps and simulators accept, in bytes. */
export const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
