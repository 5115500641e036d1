import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ObservedAgent } from '../../src/observer-format/index.js';
import {
  createClaudeCodeSource,
  Observer,
  type ObserverOptions,
  type ShownText,
  PriceList,
} from '../../src/observers/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';
import { ALL_RUNNING } from './claude-scenario.js';

/** Clock that starts now, because files that tests write change now. */
export function clockOfNow(): ManualClock {
  return new ManualClock(Date.now());
}

/** Configuration directory that a test fills, with an observer. */
export class ObservedDirectory implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;
  readonly clock = clockOfNow();

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
  }

  static async create(): Promise<ObservedDirectory> {
    const directory = new ObservedDirectory(await TemporaryDirectory.create());
    await mkdir(directory.root);
    return directory;
  }

  get root(): string {
    return this.#directory.path('claude');
  }

  get indexFile(): string {
    return this.#directory.path('state/observer.index');
  }

  /** Returns the path of a file outside of the observed directory. */
  outside(name: string): string {
    return this.#directory.path(name);
  }

  async write(path: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true });
    await writeFile(join(this.root, path), content);
  }

  async append(path: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true });
    await appendFile(join(this.root, path), content);
  }

  observe(overrides: Partial<ObserverOptions> & { readonly shownText?: ShownText } = {}): Observer {
    const { shownText = 'titles', ...options } = overrides;
    return new Observer({
      source: createClaudeCodeSource({ shownText, prices: new PriceList() }),
      root: this.root,
      givenRoot: this.root,
      maxAgeMs: 86_400_000,
      indexFile: this.indexFile,
      reader: `test ${shownText}`,
      processes: ALL_RUNNING,
      clock: this.clock,
      logger: silentLogger,
      epoch: 'test',
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

/** Returns the agents of an observer by their ids. */
export function agentsOf(observer: Observer): ReadonlyMap<string, ObservedAgent> {
  return new Map(observer.lists.agents.values().map((agent) => [agent.id, agent]));
}

/** Returns the numbers of inputs that could not be read, by kind. */
export function problemsOf(observer: Observer): Readonly<Record<string, number>> {
  return Object.fromEntries(observer.problems().map(({ kind, count }) => [kind, count]));
}

const SESSION = '11111111-2222-4333-8444-555555555555';

/** Path and records of one invented session. */
export const invented = {
  session: SESSION,
  path: `projects/-home-dev-shop/${SESSION}.jsonl`,
  prompt: (seconds: number): string => line(seconds, { type: 'user', message: { content: 'Do it.' } }),
  call: (seconds: number, id: string, tool = 'Bash'): string =>
    line(seconds, {
      type: 'assistant',
      message: {
        id: `msg_${id}`,
        model: 'claude-sonnet-5',
        stop_reason: 'tool_use',
        usage: { input_tokens: 1, output_tokens: 10 },
        content: [{ type: 'tool_use', id, name: tool, input: {} }],
      },
    }),
  result: (seconds: number, id: string, content = 'ok'): string =>
    line(seconds, { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: id, content }] } }),
  answer: (seconds: number, id: string): string =>
    line(seconds, {
      type: 'assistant',
      message: {
        id: `msg_${id}`,
        model: 'claude-sonnet-5',
        stop_reason: 'end_turn',
        usage: { input_tokens: 1, output_tokens: 10 },
        content: [{ type: 'text', text: 'Done.' }],
      },
    }),
};

/** @param seconds seconds since the beginning of the session */
function line(seconds: number, record: Record<string, unknown>): string {
  const timestamp = new Date(Date.parse('2026-11-23T12:00:00.000Z') + seconds * 1_000).toISOString();
  const envelope = { cwd: '/home/dev/shop', sessionId: SESSION, version: '2.1.270', timestamp };
  return `${JSON.stringify({ uuid: `uuid-${seconds}`, parentUuid: 'x', ...envelope, ...record })}\n`;
}
