import { existsSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { z } from 'zod';

const ROOT = new URL('../../', import.meta.url);

/** Promise of SECURITY.md and the tests that prove it. */
export interface SecurityPromise {
  readonly text: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

/** Parses the section "Guarantees": list items of one sentence, each with a list of `file`: `title`. Throws for any other text. */
export function parsePromises(page: string): SecurityPromise[] {
  const [, section = ''] = /^## Guarantees$(.*?)(?=^## |$(?![^]))/ms.exec(page) ?? [];
  const blocks = section.split(/\n(?=\S)/).map((block) => block.trimEnd());
  const [introduction = '', ...rest] = blocks.filter((block) => block.trim() !== '');
  if (!introduction.startsWith('Each promise')) throw new Error(`no introduction but ${introduction}`);
  return rest.filter((block) => !block.startsWith('### ')).map(parsePromise);
}

function parsePromise(block: string): SecurityPromise {
  const [first = '', ...items] = block.split(/\n {2}- /);
  if (!first.startsWith('- ')) throw new Error(`no list item: ${block}`);
  const text = first.slice(2).replaceAll(/\s+/g, ' ');
  const tests = items.map((item) => {
    const [, file = '', title = ''] = /^`([^`]+)`:\s+`([^`]+)`$/.exec(item.replaceAll(/\s+/g, ' ')) ?? [];
    if (title === '') throw new Error(`no test file and title: ${item}`);
    return { file, title };
  });
  return { text, tests };
}

/** Returns whether a text consists of one sentence. */
export function isOneSentence(text: string): boolean {
  const plain = text.replaceAll(/`[^`]*`|\([^)]*\)/g, '');
  return plain.endsWith('.') && !/[.!?;] /.test(plain);
}

/** Returns why a test does not prove anything: the file or the title is missing, it is skipped, or no suite runs it. Null if it does. */
export function findMistake(file: string, title: string, suites: readonly TestSuite[]): string | null {
  const url = new URL(file, ROOT);
  if (!existsSync(url)) return `${file}: does not exist`;
  if (!suites.some((suite) => runsFile(suite, file))) return `${file}: no suite runs it`;
  const titles = titlesIn(readFileSync(url, 'utf8'));
  if (!titles.has(title)) return `${file}: has no test "${title}"`;
  return titles.get(title) === true ? `${file}: "${title}" is skipped` : null;
}

/** Returns the titles of all tests in a source text, and whether they are skipped. */
export function titlesIn(source: string): ReadonlyMap<string, boolean> {
  const titles = new Map<string, boolean>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const names = calleeNames(node.expression);
      const [title] = node.arguments;
      if (
        names[0] === 'test' &&
        title !== undefined &&
        (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))
      ) {
        titles.set(
          ts.isStringLiteralLike(title) ? title.text : title.getText().slice(1, -1),
          names.includes('skip') || names.includes('todo'),
        );
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('test.ts', source, ts.ScriptTarget.Latest, true));
  return titles;
}

/** Returns the names of a callee: `test` and `each` of `test.each([…])`. */
function calleeNames(node: ts.Expression): string[] {
  if (ts.isCallExpression(node)) return calleeNames(node.expression);
  if (ts.isTaggedTemplateExpression(node)) return calleeNames(node.tag);
  if (ts.isPropertyAccessExpression(node)) return [...calleeNames(node.expression), node.name.text];
  return ts.isIdentifier(node) ? [node.text] : [];
}

const suiteSchema = z.object({
  test: z.object({ include: z.array(z.string()), exclude: z.array(z.string()).default([]) }),
});

export type TestSuite = z.output<typeof suiteSchema>['test'];

/** Parses the projects of vitest.config.ts. */
export function parseSuites(config: unknown): TestSuite[] {
  const schema = z.object({ test: z.object({ projects: z.array(suiteSchema).min(1) }) });
  return schema.parse(config).test.projects.map(({ test }) => test);
}

export function runsFile({ include, exclude }: TestSuite, file: string): boolean {
  const matches = (pattern: string): boolean => toRegExp(pattern).test(file);
  return include.some(matches) && !exclude.some(matches);
}

function toRegExp(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*\*|\*)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    return part === '*' ? '[^/]*' : part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}
