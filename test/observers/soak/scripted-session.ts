import type { SeededRandom } from '../../../src/simulator/world/random.js';
import { WrittenFile } from './written-file.js';

/** Last agent states of the scripted sessions. */
const ENDINGS = ['answer', 'question', 'tool', 'interrupt', 'failure'] as const;
type Ending = (typeof ENDINGS)[number];

const TOOLS = ['Bash', 'Read', 'Edit', 'Grep', 'WebFetch'];
/** Number of subagents of one session. They receive further messages instead of being replaced. */
const SUBAGENTS = 3;
/** Share of the turns after which the context is compacted. */
const COMPACTION_SHARE = 0.05;
const MAX_OUTPUT_CHARACTERS = 4_000;
const LARGE_OUTPUT_CHARACTERS = 200_000;

/** Agent as GraphQL must show it in the end. */
export interface ExpectedAgent {
  readonly nativeId: string;
  readonly parentNativeId: string | null;
  readonly status: string;
  readonly kind: string | null;
  readonly label: string | null;
  readonly waitingFor: string | null;
  readonly totalTokens: number;
  readonly usedTokens: number;
}

/** Transcript of one agent with the sums of what it says. */
class Transcript {
  readonly file: WrittenFile;
  totalTokens = 0;
  usedTokens = 0;
  readonly #envelope: Readonly<Record<string, unknown>>;
  readonly #random: SeededRandom;
  #records = 0;
  #answers = 0;

  constructor(file: WrittenFile, envelope: Readonly<Record<string, unknown>>, random: SeededRandom) {
    this.file = file;
    this.#envelope = envelope;
    this.#random = random;
  }

  async add(record: Readonly<Record<string, unknown>>): Promise<void> {
    this.#records += 1;
    const identity = {
      uuid: `${this.file.path}#${this.#records}`,
      parentUuid: this.#records === 1 ? null : `${this.file.path}#${this.#records - 1}`,
      timestamp: new Date().toISOString(),
    };
    const line = `${JSON.stringify({ ...identity, ...this.#envelope, ...record })}\n`;
    await this.file.append(line, this.#random.chance(0.2) ? 1 + this.#random.below(line.length - 1) : 0);
  }

  user(content: unknown, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
    return this.add({ type: 'user', message: { role: 'user', content }, ...fields });
  }

  /** Adds one answer of the model. Its blocks are records of their own that repeat the usage. */
  async answer(blocks: readonly Readonly<Record<string, unknown>>[], stopReason: string): Promise<void> {
    this.#answers += 1;
    const id = `msg_${this.file.path}_${this.#answers}`;
    const usage = {
      input_tokens: 10 + this.#random.below(500),
      output_tokens: 1 + this.#random.below(2_000),
      cache_read_input_tokens: this.#random.below(50_000),
      cache_creation_input_tokens: this.#random.below(1_000),
    };
    this.usedTokens = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
    this.totalTokens += this.usedTokens + usage.output_tokens;
    for (const block of blocks) {
      const message = {
        id,
        role: 'assistant',
        model: 'claude-sonnet-5',
        content: [block],
        stop_reason: stopReason,
        usage,
      };
      await this.add({ type: 'assistant', requestId: `req_${id}`, message });
    }
  }

  /** Adds an answer that calls a tool. Returns the id of the call. */
  async call(tool: string, input: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const id = `toolu_${this.file.path}_${this.#answers + 1}`;
    const text = { type: 'text', text: 'I look.' };
    await this.answer([text, { type: 'tool_use', id, name: tool, input }], 'tool_use');
    return id;
  }

  result(id: string, content: string, details: Readonly<Record<string, unknown>> = {}): Promise<void> {
    return this.user([{ type: 'tool_result', tool_use_id: id, content }], { toolUseResult: details });
  }

  done(): Promise<void> {
    return this.answer([{ type: 'text', text: 'Done.' }], 'end_turn');
  }
}

interface Subagent {
  readonly id: string;
  readonly transcript: Transcript;
}

/** Session of Claude Code that follows a script: turns with tools, todos, background subagents, compactions. */
export class ScriptedSession {
  readonly id: string;
  readonly #root: string;
  readonly #random: SeededRandom;
  readonly #main: Transcript;
  readonly #tasks: WrittenFile;
  readonly #metas: WrittenFile[] = [];
  readonly #subagents: Subagent[] = [];
  readonly #ending: Ending;
  #turns = 0;
  #taskStatus = 'pending';

  constructor(root: string, number: number, random: SeededRandom) {
    this.id = `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`;
    this.#root = root;
    this.#random = random;
    this.#main = new Transcript(
      new WrittenFile(root, `projects/-home-dev-soak-${number % 4}/${this.id}.jsonl`),
      this.#envelope(),
      random,
    );
    this.#tasks = new WrittenFile(root, `tasks/${this.id}/1.json`);
    this.#ending = ENDINGS[number % ENDINGS.length] ?? 'answer';
  }

  /** Writes the files that every session has. */
  async start(): Promise<void> {
    await this.#main.user('Hello.');
    await this.#main.done();
    await this.#writeTask();
  }

  /** All files of the session. */
  get files(): readonly WrittenFile[] {
    return [this.#main.file, this.#tasks, ...this.#metas, ...this.#subagents.map(({ transcript }) => transcript.file)];
  }

  /** Writes one turn after the other. Yields after each step, so that the caller sets the pace. */
  async *work(): AsyncGenerator<void, never> {
    for (;;) {
      this.#turns += 1;
      await this.#main.user('Do it.');
      yield;
      for (let count = 1 + this.#random.below(6); count > 0; count -= 1) {
        const call = await this.#main.call(this.#tool());
        yield;
        await this.#main.result(call, this.#output());
        yield;
      }
      await this.#writeTask();
      yield* this.#runSubagent();
      await this.#main.done();
      if (this.#random.chance(COMPACTION_SHARE)) await this.#compact();
      yield;
    }
  }

  /** Writes the last records. Call it when `work` has been stopped. */
  async end(): Promise<void> {
    for (const { id, transcript } of this.#subagents) {
      await transcript.user('Summarize.');
      await transcript.done();
      await this.#notify(id);
    }
    await this.#main.user('Finish.');
    switch (this.#ending) {
      case 'answer':
        await this.#main.done();
        break;
      case 'question':
        await this.#main.call('AskUserQuestion', { questions: [] });
        break;
      case 'tool':
        await this.#main.call('Bash', { command: 'sleep 600' });
        break;
      case 'interrupt':
        await this.#main.call('Bash', { command: 'sleep 600' });
        await this.#main.user([{ type: 'text', text: '[Request interrupted by user for tool use]' }]);
        break;
      case 'failure':
        await this.#main.add({
          type: 'assistant',
          isApiErrorMessage: true,
          error: 'overloaded',
          message: { id: 'synthetic', model: '<synthetic>', content: [{ type: 'text', text: 'API Error' }] },
        });
        break;
    }
  }

  expected(): readonly ExpectedAgent[] {
    const main = {
      nativeId: this.id,
      parentNativeId: null,
      ...EXPECTED_ENDS[this.#ending],
      totalTokens: this.#main.totalTokens,
      usedTokens: this.#main.usedTokens,
    };
    const subagents = this.#subagents.map(({ id, transcript: { totalTokens, usedTokens } }) => ({
      nativeId: `${this.id}/${id}`,
      parentNativeId: this.id,
      status: 'TERMINATED',
      ...NO_ACTIVITY,
      totalTokens,
      usedTokens,
    }));
    return [main, ...subagents];
  }

  /** Status that GraphQL must show for the task in the end. */
  get expectedTaskStatus(): string {
    return this.#taskStatus.toUpperCase();
  }

  #writeTask(): Promise<void> {
    this.#taskStatus = this.#turns % 2 === 0 ? 'completed' : 'in_progress';
    return this.#tasks.replace(`${JSON.stringify({ id: '1', subject: 'Soak', status: this.#taskStatus })}\n`);
  }

  /** Runs a subagent in the background: starts it if there are few, or else sends a message to one. */
  async *#runSubagent(): AsyncGenerator<void> {
    const known = this.#subagents[this.#turns % SUBAGENTS];
    const { id, transcript } = known ?? (await this.#startSubagent());
    if (known !== undefined) {
      const call = await this.#main.call('SendMessage', { to: id, message: 'Go on.' });
      await this.#main.result(call, 'sent');
      await transcript.user('Go on.', { origin: { kind: 'coordinator' } });
    }
    yield;
    const call = await transcript.call(this.#tool());
    yield;
    await transcript.result(call, this.#output());
    await transcript.done();
    yield;
    await this.#notify(id);
  }

  async #startSubagent(): Promise<Subagent> {
    const id = `a${String(this.#subagents.length + 1).padStart(7, '0')}`;
    const folder = `projects/${this.#main.file.path.split('/')[1] ?? ''}/${this.id}/subagents`;
    const call = await this.#main.call('Agent', { description: 'Look', subagent_type: 'Explore', prompt: 'Look.' });
    const meta = new WrittenFile(this.#root, `${folder}/agent-${id}.meta.json`);
    await meta.replace(JSON.stringify({ agentType: 'Explore', description: 'Look', toolUseId: call, spawnDepth: 1 }));
    this.#metas.push(meta);
    const file = new WrittenFile(this.#root, `${folder}/agent-${id}.jsonl`);
    const transcript = new Transcript(file, { ...this.#envelope(), isSidechain: true, agentId: id }, this.#random);
    const subagent = { id, transcript };
    this.#subagents.push(subagent);
    await transcript.user('Look.');
    await this.#main.result(call, 'launched', { isAsync: true, status: 'async_launched', agentId: id });
    return subagent;
  }

  async #notify(id: string): Promise<void> {
    // Two notifications with the same text are one.
    const summary = `<summary>${this.#main.totalTokens}</summary>`;
    const content = `<task-notification>\n<task-id>${id}</task-id>\n<status>completed</status>\n${summary}\n</task-notification>`;
    await this.#main.add({ type: 'queue-operation', operation: 'enqueue', content });
    await this.#main.user(content, { origin: { kind: 'task-notification' } });
  }

  async #compact(): Promise<void> {
    const { usedTokens } = this.#main;
    const postTokens = 1_000 + this.#random.below(1_000);
    await this.#main.add({
      type: 'system',
      subtype: 'compact_boundary',
      compactMetadata: { trigger: 'auto', preTokens: usedTokens, postTokens },
    });
    this.#main.usedTokens = postTokens;
    await this.#main.user('This session is being continued.', { isCompactSummary: true });
  }

  #tool(): string {
    return TOOLS[this.#random.below(TOOLS.length)] ?? 'Bash';
  }

  #output(): string {
    const length = this.#random.chance(0.01) ? LARGE_OUTPUT_CHARACTERS : this.#random.below(MAX_OUTPUT_CHARACTERS);
    return 'x'.repeat(length);
  }

  #envelope() {
    return { cwd: `/home/dev/soak`, sessionId: this.id, version: '2.1.270' };
  }
}

const NO_ACTIVITY = { kind: null, label: null, waitingFor: null };

const EXPECTED_ENDS = {
  answer: { status: 'IDLE', ...NO_ACTIVITY },
  question: { status: 'WAITING', kind: 'WAITING', label: 'AskUserQuestion', waitingFor: 'ANSWER' },
  tool: { status: 'BUSY', kind: 'TOOL', label: 'Bash', waitingFor: null },
  interrupt: { status: 'IDLE', ...NO_ACTIVITY },
  failure: { status: 'ERROR', ...NO_ACTIVITY },
} as const;
