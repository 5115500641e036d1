import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Copy {
  /** `null`: from the project. */
  readonly from: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

/** One `FROM` of the Dockerfile. */
export interface Stage {
  readonly name: string | null;
  readonly base: string;
  readonly copies: readonly Copy[];
  readonly env: Readonly<Record<string, string>>;
  /** Everything else that is said, by its word: `USER`, `CMD`, … */
  readonly said: ReadonlyMap<string, readonly string[]>;
}

/** The program that is run in the image, and what it is told there. */
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
  const said = (word: string): string => {
    const [one, ...more] = last.said.get(word) ?? [];
    if (one === undefined || more.length > 0) throw new Error(`${word} is not said once`);
    return one;
  };
  const list = (text: string): readonly string[] => z.array(z.string()).parse(JSON.parse(text));
  return {
    entrypoint: list(said('ENTRYPOINT')),
    command: list(said('CMD')),
    healthcheck: list(said('HEALTHCHECK').replace(/^.*? CMD /, '')),
    env: last.env,
    port: Number(said('EXPOSE')),
    user: said('USER'),
    copies: last.copies,
  };
}

/** Runs the health check of the image. @returns its exit code */
export async function healthOf(image: Image, port: number): Promise<number> {
  const [command = '', ...args] = image.healthcheck;
  const child = execFile(command, args, { env: { PATH: process.env['PATH'], PORT: `${port}` } });
  await once(child, 'exit');
  return child.exitCode ?? -1;
}

/** The stages of the Dockerfile, the last being what is run. */
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
  return stages.map(({ base, name, lines: said }) => ({
    base,
    name,
    copies: said.filter(([word]) => word === 'COPY').map(([, rest]) => copyOf(rest)),
    env: Object.fromEntries(
      said
        .filter(([word]) => word === 'ENV')
        .flatMap(([, rest]) => rest.split(/\s+/))
        .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    ),
    said: grouped(said),
  }));
}

function copyOf(rest: string): Copy {
  const words = rest.split(' ');
  const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1] ?? null;
  const paths = from === null ? words : words.slice(1);
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
}

function grouped(lines: readonly [string, string][]): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, string[]>();
  for (const [word, rest] of lines) all.set(word, [...(all.get(word) ?? []), rest]);
  return all;
}
