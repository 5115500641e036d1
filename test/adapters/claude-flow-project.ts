import { cp, readFile, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { z } from 'zod';
import { directoryFingerprint, TemporaryDirectory } from '../support/temporary-directory.js';
import { type Answer, type Rig, rigOf } from './fake-server.js';

const FIXTURE = fileURLToPath(new URL('../fixtures/mcp/claude-flow-project/', import.meta.url));
/** Recorded swarms: the first one is terminated. */
export const FIRST = 'swarm-1795952380898-kozvpp';
export const SECOND = 'swarm-1795952380905-6pzaa8';
export const SWARM_FILE = 'swarm/swarm-state.json';

const storeSchema = z.looseObject({});
const entriesSchema = z.record(z.string(), storeSchema);

/** Recorded project of claude-flow 3.43.0 in a temporary directory. */
export class Project implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
  }

  static async create(): Promise<Project> {
    const directory = await TemporaryDirectory.create();
    await cp(join(FIXTURE, '.claude-flow'), directory.path('.claude-flow'), { recursive: true });
    return new Project(directory);
  }

  get root(): string {
    return this.#directory.root;
  }

  path(file: string): string {
    return this.#directory.path(join('.claude-flow', file));
  }

  /** Changes the entries of a state file in place, as the server does. */
  async edit(file: string, key: string, change: (entries: Record<string, object>) => void): Promise<void> {
    const content = storeSchema.parse(JSON.parse(await readFile(this.path(file), 'utf8')));
    const entries = entriesSchema.parse(content[key]);
    change(entries);
    await writeFile(this.path(file), JSON.stringify({ ...content, [key]: entries }, null, 2));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

const LISTED: unknown = JSON.parse(
  (
    JSON.parse(readFileSync(join(FIXTURE, 'agent_list.json'), 'utf8')) as {
      response: { result: { content: [{ text: string }] } };
    }
  ).response.result.content[0].text, // recorded by this project
);

/** Answers of a server whose state is on disk. */
export const TOOLS = {
  agent_list: LISTED,
  'hive-mind_status': { initialized: false },
  daa_learning_status: { success: true, agents: [] },
  swarm_status: new Error('swarm_status changes the project'),
  task_list: { tasks: [] },
};

/** Creates the adapter of a server that keeps its state in a directory. */
export function rigIn(projectDirectory: string | null, answers: Readonly<Record<string, Answer>> = TOOLS): Rig {
  return rigOf('CLAUDE_FLOW', answers, undefined, { simulated: false, projectDirectory });
}

/** Polls a project of old, foreign, container and terminated swarms, and expects that no file and directory changes. */
export async function expectUnchanged(polls: number): Promise<void> {
  await using project = await Project.create();
  await project.edit(SWARM_FILE, 'swarms', (swarms) => {
    const template = swarms[SECOND];
    const old = '2026-01-01T00:00:00.000Z';
    Object.assign(swarms, {
      old: { ...template, swarmId: 'old', updatedAt: old, createdAt: old },
      foreign: { ...template, swarmId: 'foreign', pid: 4_194_303 },
      container: { ...template, swarmId: 'container', pid: 1 },
    });
  });
  await writeFile(project.path('tasks/store.json'), '{"tasks": {"task-1": {"taskId": "ta');
  const before = await directoryFingerprint(project.root);
  const rig = rigIn(project.root);
  let report = await rig.poll();
  for (let round = 1; round < polls; round += 1) {
    rig.clock.advance(100);
    report = await rig.poll();
  }
  expect(await directoryFingerprint(project.root)).toEqual(before);
  expect(report.swarms.map(({ nativeId, status }) => [nativeId, status]).slice(0, 5)).toEqual([
    [FIRST, 'terminated'],
    [SECOND, 'running'],
    ['old', 'running'],
    ['foreign', 'running'],
    ['container', 'running'],
  ]);
}
