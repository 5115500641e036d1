import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';

/** Stub of a WebSocket of `ws` that records its calls and emits nothing by itself. */
export class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  /** Calls of methods in order, with their arguments except for callbacks. */
  readonly calls: unknown[][] = [];

  /** This stub as the type of `ws`. Other methods than those of this class do not exist. */
  get socket(): WebSocket {
    return this as unknown as WebSocket; // the tested classes use no other methods
  }

  send(data: string | Buffer, ...rest: unknown[]): void {
    this.calls.push(['send', data, ...rest.filter((argument) => typeof argument !== 'function')]);
    const callback = rest.at(-1);
    if (typeof callback === 'function') queueMicrotask(() => void Reflect.apply(callback, undefined, []));
  }

  close(code?: number, reason?: string): void {
    this.calls.push(['close', code, reason]);
    this.readyState = 2;
  }

  terminate(): void {
    this.calls.push(['terminate']);
    this.readyState = 3;
  }

  ping(): void {
    this.calls.push(['ping']);
  }

  pause(): void {
    this.calls.push(['pause']);
  }

  resume(): void {
    this.calls.push(['resume']);
  }
}
