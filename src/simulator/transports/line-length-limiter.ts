import { Transform, type TransformCallback } from 'node:stream';
import { LineSplitter } from '../../shared/index.js';

const NEWLINE = Buffer.from('\n');

/** Passes complete lines on and drops those longer than `maxBytes`, because the official server would end the connection. */
export class LineLengthLimiter extends Transform {
  readonly #lines: LineSplitter;

  constructor(maxBytes: number) {
    super();
    this.#lines = new LineSplitter(maxBytes, (line) => this.push(Buffer.concat([line, NEWLINE])));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#lines.push(chunk);
    done();
  }
}
