import { readFileSync } from 'node:fs';
import type { SimulatorType } from '../../src/simulator/world/entities.js';
import { SERVER_PROFILES } from '../../src/simulator/server-profiles.js';
import { createWorld, advanceWorld } from '../../src/simulator/world/lifecycle.js';
import type { World } from '../../src/simulator/world/world.js';

export const START_MS = Date.parse('2026-11-23T15:00:00.000Z');

/** Simulated world with the tools of its server, without a transport. */
export class Simulated {
  readonly world: World;
  readonly #tools;

  constructor(type: SimulatorType, { seed = 1, agents = 20 } = {}) {
    this.world = createWorld({ type, seed, agents, startMs: START_MS, stepMs: 100 });
    this.#tools = new Map(SERVER_PROFILES[type].tools(this.world).map((tool) => [tool.name, tool]));
  }

  get toolNames(): string[] {
    return [...this.#tools.keys()];
  }

  step(count = 1): this {
    for (let done = 0; done < count; done += 1) advanceWorld(this.world);
    return this;
  }

  text(name: string, args: unknown = {}): string {
    const tool = this.#tools.get(name);
    if (tool === undefined) throw new Error(`no tool ${name}`);
    return tool.call(args).text;
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what a test expects of the answer
  call<T>(name: string, args: unknown = {}): T {
    return JSON.parse(this.text(name, args)) as T; // the tests say what they expect
  }
}

interface Recording {
  readonly input: Readonly<Record<string, unknown>>;
  readonly response: {
    readonly result?: { readonly content: readonly { readonly text: string }[] };
    readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
  };
}

export function recording(server: string, name: string): Recording {
  return fixture(server, name) as Recording; // recorded with this shape
}

export function recordedAnswer(server: string, name: string): unknown {
  return JSON.parse(recording(server, name).response.result?.content[0]?.text ?? 'null');
}

export function fixture(server: string, name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/mcp/${server}/${name}.json`, import.meta.url), 'utf8'));
}
