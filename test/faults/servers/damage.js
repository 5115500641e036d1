// Damages responses of a server. `write` sends bytes unchanged.
import { Buffer } from 'node:buffer';
import { clearInterval } from 'node:timers';

/** Functions that send a damaged response, by kind of damage. */
const KINDS = {
  silent: () => undefined,
  late: (line, _message, { write, keep }) => keep(() => write(`${line}\n`)),
  twice: (line, _message, { write }) => write(`${line}\n${line}\n`),
  wrongId: (_line, message, { write }) => write(`${JSON.stringify({ ...message, id: 'nobody-asked' })}\n`),
  invalidJson: (line, _message, { write }) => write(`${line.slice(0, -1)}]\n`),
  halfLine: (line, _message, { write }) => write(line.slice(0, line.length / 2)),
  idlessError: (line, _message, { write }) =>
    write(`{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"}}\n${line}\n`),
  padded: (_line, message, { write, damage }) =>
    write(`${JSON.stringify({ ...message, result: { ...message.result, padding: 'x'.repeat(damage.bytes) } })}\n`),
  drip: (line, _message, { write }) => drip(Buffer.from(`${line}\n`), write),
};

/** Current damage, and the number of responses that it still affects. */
export class Damage {
  #damage = null;
  #left = 0;
  #held = [];

  /** @param damage `{ kind, tool, times }`; affects all tools without `tool`, and all responses without `times` */
  set(damage) {
    this.#damage = damage;
    this.#left = damage?.times ?? Infinity;
  }

  /** Sends the responses that were held back. */
  release() {
    for (const send of this.#held.splice(0)) send();
  }

  /** Returns the damage for the response to a call of `tool`. Null if the response stays undamaged. */
  take(tool) {
    const damage = this.#damage;
    if (damage === null || this.#left === 0 || (damage.tool ?? tool) !== tool) return null;
    this.#left -= 1;
    return damage;
  }

  /** Sends a response with its damage. */
  send(damage, line, message, write) {
    if (damage === null) write(`${line}\n`);
    else KINDS[damage.kind](line, message, { write, damage, keep: (send) => this.#held.push(send) });
  }
}

/** Writes one byte per millisecond. */
function drip(bytes, write) {
  let sent = 0;
  const timer = setInterval(() => {
    write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent === bytes.length) clearInterval(timer);
  }, 1);
}
