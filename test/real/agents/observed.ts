import type { App } from '../../../src/app/create-app.js';
import type { EndpointConfig } from '../../../src/mcp/index.js';
import type { ObservedSource } from '../../../src/observer-format/index.js';
import { PROGRAM, serverConfig, startApp } from '../../support/app.js';
import { Program } from '../../support/program.js';
import type { Tmux } from '../../support/tmux.js';
import { waitUntil } from '../../support/wait.js';
import { type WatchedAgent, WatchedAgents } from '../../support/watched-agents.js';
import { ANSWER_TOKENS } from './scripted-model.js';
import type { Workplace } from './workplace.js';

const PRESS_INTERVAL_MS = 1_000;

/** Program with an observer of one coding agent, and a subscriber. */
export class Observed implements AsyncDisposable {
  readonly app: App;
  readonly watched: WatchedAgents;
  /** Port to which hooks send their events. Null if the observer runs over stdio. */
  readonly hooksPort: number | null;
  readonly #observer: Program | null;

  private constructor(app: App, observer: Program | null, hooksPort: number | null) {
    this.app = app;
    this.watched = new WatchedAgents(app);
    this.#observer = observer;
    this.hooksPort = hooksPort;
  }

  /** @param options `withHooks` runs the observer over HTTP, where it accepts the events of hooks */
  static async start(
    source: ObservedSource,
    place: Workplace,
    { withHooks = false }: { readonly withHooks?: boolean } = {},
  ): Promise<Observed> {
    const args = ['observe', source, '--root', place.root, '--show-text', 'titles'];
    const env = { XDG_STATE_HOME: place.directory.path('state'), LOG_LEVEL: 'warn' };
    const observer = withHooks ? new Program([...args, '--port', '0'], { cwd: place.directory.root, env }) : null;
    const [url] = (await observer?.printed(/http:\S+/)) ?? [null];
    const endpoint: EndpointConfig =
      url === null
        ? { type: 'stdio', command: process.execPath, args: [PROGRAM, ...args], cwd: place.directory.root, env }
        : { type: 'http', url, headers: {} };
    const app = await startApp([serverConfig(source, [], { endpoint })]);
    return new Observed(app, observer, url === null ? null : Number(new URL(url).port));
  }

  /** Resolves when an agent with a name of this kind has these values, with the agent. */
  agent(which: Matcher, values: Readonly<Record<string, unknown>> = {}): Promise<WatchedAgent> {
    return this.watched.until((agents) => agents.find((agent) => which(agent) && matches(agent, values)));
  }

  /**
   * Presses a key in a terminal until an agent has these values. A program may ignore a key that is pressed as soon as its question
   * appears.
   */
  async press(terminal: Tmux, key: string, which: Matcher, values: Readonly<Record<string, unknown>>): Promise<void> {
    await waitUntil(
      async () => {
        if ([...this.watched.agents.values()].some((agent) => which(agent) && matches(agent, values))) return true;
        await terminal.send(key);
        return false;
      },
      { state: () => [...this.watched.agents.values()], intervalMs: PRESS_INTERVAL_MS },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watched[Symbol.asyncDispose]();
    await this.app[Symbol.asyncDispose]();
    await this.#observer?.[Symbol.asyncDispose]();
  }
}

export type Matcher = (agent: WatchedAgent) => boolean;

/** Matches the agent of a session or of a root thread. */
export const isMain: Matcher = ({ parentId }) => parentId === null;

export const isSubagent: Matcher = ({ parentId }) => parentId !== null;

/** Tokens of one answer of the model. */
export const TOKENS = ANSWER_TOKENS.input + ANSWER_TOKENS.cached + ANSWER_TOKENS.output;

/** Values of an agent that waits for an answer of the model. */
export const thinking = { status: 'BUSY', activity: { kind: 'MODEL' } };

/** Values of an agent that uses a tool. */
export function working(label: string) {
  return { status: 'BUSY', activity: { kind: 'TOOL', label } };
}

/** Matches a subagent by its name. */
export function named(name: string): Matcher {
  return (agent) => agent.parentId !== null && agent.name === name;
}

function matches(value: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return value === expected;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(expected).every(([key, wanted]) => matches((value as Record<string, unknown>)[key], wanted)); // any object
}
