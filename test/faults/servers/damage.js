// What may become of an answer on its way out. `write` sends bytes as they are.
import { Buffer } from 'node:buffer';
import { clearInterval } from 'node:timers';

/** For each kind of damage: what is sent instead of a line. */
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

/** The state of the layer: which damage is done, and to the answers of how many calls more. */
export class Damage {
  #damage = null;
  #left = 0;
  #held = [];

  /** @param damage `{ kind, tool, times }`; `tool` left out: to all tools, `times` left out: until told otherwise */
  set(damage) {
    this.#damage = damage;
    this.#left = damage?.times ?? Infinity;
  }

  /** Sends what was kept for being late. */
  release() {
    for (const send of this.#held.splice(0)) send();
  }

  /** What is to become of the answer to a call of `tool` that comes now; `null`: nothing. */
  take(tool) {
    const damage = this.#damage;
    if (damage === null || this.#left === 0 || (damage.tool ?? tool) !== tool) return null;
    this.#left -= 1;
    return damage;
  }

  /** Sends an answer, or what becomes of it. */
  send(damage, line, message, write) {
    if (damage === null) write(`${line}\n`);
    else KINDS[damage.kind](line, message, { write, damage, keep: (send) => this.#held.push(send) });
  }
}

/** Byte by byte, a millisecond and more between two. */
function drip(bytes, write) {
  let sent = 0;
  const timer = setInterval(() => {
    write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent === bytes.length) clearInterval(timer);
  }, 1);
}
