const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const LINE_END = Buffer.of(LINE_FEED);
const BYTE_ORDER_MARK = Buffer.from('\ufeff');
const MIN_BUFFER_BYTES = 1_024;
const MAX_KEPT_BYTES = 65_536;
/** Longest value of a field other than `data`, in bytes. Longer fields are dropped. */
const MAX_FIELD_BYTES = 1_024;
/** Fields of an event that are passed on besides its data. */
const FIELDS: ReadonlySet<string> = new Set(['event', 'id', 'retry']);

export interface EventStreamOptions {
  /** Longest data of an event in bytes. */
  readonly maxBytes: number;
  /** Called when the data of an event is longer. The stream then fails. */
  readonly onTooLong: () => void;
  /** Longest data in bytes that is passed on. */
  readonly maxDirectBytes: number;
  /** Returns the data to pass on instead of longer data. */
  readonly replace: (data: Buffer) => Promise<string>;
}

/**
 * Rewrites a stream of server-sent events. Limits the length of events, ends lines with line feeds, drops comments and unknown fields, and replaces the data of long
 * events. Takes time proportional to the number of bytes; the parser of the official client does not for some line ends.
 */
export class EventStreamRewriter implements Transformer<Uint8Array, Uint8Array> {
  readonly #options: EventStreamOptions;
  #line = new ByteCollector();
  #data = new ByteCollector();
  readonly #fields = new Map<string, string>();
  #hasData = false;
  #wasCarriageReturn = false;
  #isFirstLine = true;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  async transform(chunk: Uint8Array, controller: TransformStreamDefaultController<Uint8Array>): Promise<void> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    if (this.#wasCarriageReturn && bytes[0] === LINE_FEED) start = 1;
    if (bytes.length > 0) this.#wasCarriageReturn = bytes.at(-1) === CARRIAGE_RETURN;
    for (let end = start; end < bytes.length; end += 1) {
      const byte = bytes[end];
      if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) continue;
      this.#line.add(bytes.subarray(start, end));
      if (byte === CARRIAGE_RETURN && bytes[end + 1] === LINE_FEED) end += 1;
      start = end + 1;
      if (this.#line.length > 0) {
        this.#endLine();
        if (this.#data.length > this.#options.maxBytes) break;
      } else if (this.#data.length > this.#options.maxDirectBytes) await this.#endLongEvent(controller);
      else if (this.#hasData || this.#fields.size > 0) this.#endEvent(controller, this.#data.bytes.toString());
    }
    this.#line.add(bytes.subarray(start));
    const { maxBytes, onTooLong } = this.#options;
    if (this.#data.length <= maxBytes && this.#line.length <= maxBytes + MAX_FIELD_BYTES) return;
    controller.error(new Error(`event is longer than ${maxBytes} bytes`));
    onTooLong();
  }

  #endLine(): void {
    if (this.#isFirstLine) this.#line.dropPrefix(BYTE_ORDER_MARK);
    this.#isFirstLine = false;
    const line = this.#line.bytes;
    const colon = line.indexOf(COLON);
    const name = line.toString('latin1', 0, Math.min(colon === -1 ? line.length : colon, MAX_FIELD_BYTES));
    const valueStart = colon === -1 ? line.length : line[colon + 1] === SPACE ? colon + 2 : colon + 1;
    if (name === 'data') this.#addData(valueStart);
    else if (FIELDS.has(name) && line.length - valueStart <= MAX_FIELD_BYTES) {
      this.#fields.set(name, line.toString('utf8', valueStart));
    }
    this.#line.clear();
  }

  /** Adds the current line to the data. Moves long first lines instead of copying them. */
  #addData(valueStart: number): void {
    if (this.#hasData) {
      this.#data.add(LINE_END);
      this.#data.add(this.#line.bytes.subarray(valueStart));
    } else {
      this.#line.dropPrefix(this.#line.bytes.subarray(0, valueStart));
      [this.#line, this.#data] = [this.#data, this.#line];
    }
    this.#hasData = true;
  }

  /** Replaces the data of a long event. The official client reports data that is not JSON as an error. */
  async #endLongEvent(controller: TransformStreamDefaultController<Uint8Array>): Promise<void> {
    this.#endEvent(controller, await this.#options.replace(this.#data.bytes).catch(() => 'not a message'));
  }

  #endEvent(controller: TransformStreamDefaultController<Uint8Array>, data: string): void {
    const lines = [...this.#fields].map(([name, value]) => `${name}: ${value}`);
    if (this.#hasData) lines.push(...data.split('\n').map((line) => `data: ${line}`));
    this.#fields.clear();
    this.#data.clear();
    this.#hasData = false;
    controller.enqueue(Buffer.from(`${lines.join('\n')}\n\n`));
  }
}

/** Collects bytes without keeping the chunks that they come from. */
class ByteCollector {
  #buffer = Buffer.allocUnsafe(MIN_BUFFER_BYTES);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Collected bytes. Valid until the next change. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  add(bytes: Buffer): void {
    const end = this.#end + bytes.length;
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#end);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#end);
    this.#end = end;
  }

  dropPrefix(prefix: Buffer): void {
    if (this.bytes.subarray(0, prefix.length).equals(prefix)) this.#start += prefix.length;
  }

  clear(): void {
    this.#start = 0;
    this.#end = 0;
    // A large buffer is not kept.
    if (this.#buffer.length > MAX_KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(MIN_BUFFER_BYTES);
  }
}
