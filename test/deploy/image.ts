import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Copy {
  /** Stage that is copied from. Null for files of the project. */
  readonly from: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

/** Stage of the Dockerfile, which begins with `FROM`. */
export interface Stage {
  readonly name: string | null;
  readonly base: string;
  readonly copies: readonly Copy[];
  readonly env: Readonly<Record<string, string>>;
  /** Arguments of all instructions after `FROM`, by instruction. */
  readonly instructions: ReadonlyMap<string, readonly string[]>;
}

/** Last stage of the Dockerfile, which runs the program. */
export interface Image {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly user: string;
  readonly copies: readonly Copy[];
}

export function readImage(): Image {
  const last = readDockerfile().at(-1);
  if (last === undefined) throw new Error('the Dockerfile has no stage');
  const argumentOf = (word: string): string => {
    const [one, ...more] = last.instructions.get(word) ?? [];
    if (one === undefined || more.length > 0) throw new Error(`the last stage must contain ${word} once`);
    return one;
  };
  const list = (text: string): readonly string[] => z.array(z.string()).parse(JSON.parse(text));
  return {
    entrypoint: list(argumentOf('ENTRYPOINT')),
    command: list(argumentOf('CMD')),
    healthcheck: list(argumentOf('HEALTHCHECK').replace(/^.*? CMD /, '')),
    env: last.env,
    port: Number(argumentOf('EXPOSE')),
    user: argumentOf('USER'),
    copies: last.copies,
  };
}

/** Runs the health check of the image and returns its exit code. */
export async function runHealthCheck(image: Image, port: number): Promise<number> {
  const [command = '', ...args] = image.healthcheck;
  const child = execFile(command, args, { env: { PATH: process.env['PATH'], PORT: `${port}` } });
  await once(child, 'exit');
  return child.exitCode ?? -1;
}

/** Returns the stages of the Dockerfile in order. */
export function readDockerfile(): readonly Stage[] {
  const text = readFileSync(`${ROOT}/Dockerfile`, 'utf8').replace(/^#.*\n/gm, '');
  const lines = text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter(Boolean);
  const stages: { name: string | null; base: string; lines: [string, string][] }[] = [];
  for (const line of lines) {
    const [, word = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    const [base = '', , name = null] = rest.split(' ');
    if (word === 'FROM') stages.push({ base, name, lines: [] });
    else stages.at(-1)?.lines.push([word, rest]);
  }
  return stages.map(({ base, name, lines: instructions }) => ({
    base,
    name,
    copies: instructions.filter(([word]) => word === 'COPY').map(([, rest]) => copyOf(rest)),
    env: Object.fromEntries(
      instructions
        .filter(([word]) => word === 'ENV')
        .flatMap(([, rest]) => rest.split(/\s+/))
        .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    ),
    instructions: groupByWord(instructions),
  }));
}

function copyOf(rest: string): Copy {
  const words = rest.split(' ');
  const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1] ?? null;
  const paths = from === null ? words : words.slice(1);
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
}

function groupByWord(lines: readonly [string, string][]): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, string[]>();
  for (const [word, rest] of lines) all.set(word, [...(all.get(word) ?? []), rest]);
  return all;
}
