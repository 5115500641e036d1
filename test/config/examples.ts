import { readFile } from 'node:fs/promises';

const PAGES = ['README.md', 'docs/servers.md', 'docs/access-control.md', 'docs/configuration.md'];

/** Returns the text of each configuration in README.md and docs/. */
export async function readConfigExamples(): Promise<readonly string[]> {
  const texts = await Promise.all(PAGES.map((path) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')));
  return [...texts.join('\n').matchAll(/```json\n(.*?)```/gs)].flatMap(([, text = '']) =>
    text.includes('"mcpServers"') ? [text] : [],
  );
}
