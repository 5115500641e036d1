import { onJsonLines } from './lines.js';

/** Proxy between a client and a simulator that reports each call and damages its response on request. */
export class Layer {
  #output;

  constructor({ input, output, toSimulator, fromSimulator, damage, onCall }) {
    this.#output = output;
    const calls = new Map();
    onJsonLines(input, (line, message) => {
      if (message?.method === 'tools/call') {
        const { name } = message.params;
        calls.set(message.id, damage.take(name));
        onCall(name);
      }
      toSimulator.write(`${line}\n`);
    });
    input.on('end', () => toSimulator.end());
    onJsonLines(fromSimulator, (line, message) => {
      const taken = calls.get(message?.id) ?? null;
      calls.delete(message?.id);
      damage.send(taken, line, message, (bytes) => output.write(bytes));
    });
  }

  /** Sends notifications as fast as the client reads. */
  async flood(count) {
    for (let number = 0; number < count; number += 1) {
      const params = { level: 'info', data: `note ${number}` };
      const hasRoom = this.#output.write(
        `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params })}\n`,
      );
      if (!hasRoom) await new Promise((resolve) => this.#output.once('drain', resolve));
    }
  }
}
