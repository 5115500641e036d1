import { describe, expect, test } from 'vitest';
import { simulated } from '../discovery/places.js';
import { serverConfig, startApp } from '../support/app.js';
import { BareSocket, type Message } from '../support/bare-socket.js';
import { type Block, blocksOf, page } from './page.js';
import { Placeholders } from './template.js';

const BLOCKS = blocksOf(page('docs/protocol.md'));
const SECTIONS = [...new Set(BLOCKS.filter(({ kind }) => kind === 'json client').map(({ section }) => section))];

/** A server in the state that the page begins with. */
async function start(): Promise<{ readonly url: string } & AsyncDisposable> {
  const daa = await simulated('daa', 'http');
  const endpoint = { type: 'http', url: `http://127.0.0.1:${daa.port}/mcp`, headers: {} } as const;
  const app = await startApp([serverConfig('daa', [], { endpoint, allowTools: ['pause_agent', 'resume_agent'] })]);
  return {
    url: app.url,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await daa[Symbol.asyncDispose]();
    },
  };
}

/** Sends what the client of one section sends, and returns what the server says otherwise than documented. */
async function played(
  app: { readonly url: string },
  blocks: readonly Block[],
  placeholders: Placeholders,
): Promise<readonly string[]> {
  const first = blocks[0]?.text ?? '';
  const server = { socketUrl: `${app.url.replace('http', 'ws')}/graphql` };
  const { payload = null } = parsed(first) as { payload?: Record<string, unknown> }; // of `connection_init`, or ignored
  const opens = first.includes('connection_init');
  await using socket = await BareSocket.open(server, opens ? payload : null);
  if (!opens) await socket.until(({ messages }) => messages.length > 0);
  const taken = new Set<Message>(socket.messages);
  const differences: string[] = [];
  const sent = new Set<Block>();
  for (const block of opens ? blocks.slice(1) : blocks) {
    const { kind, text } = block;
    if (kind === 'json client') {
      // A repetition is refused for a second only, and an answer may take longer: both are sent at once.
      const isRepeated = text.includes('mutation { refreshDiscovery ');
      const repeated = blocks.filter((one) => isRepeated && one.kind === kind && one.text.includes('refreshDiscovery'));
      for (const one of [block, ...repeated]) {
        if (!sent.has(one)) socket.send(parsed(placeholders.filled(one.text)));
        sent.add(one);
      }
      continue;
    }
    const documented = parsed(text) as Message; // of the page
    const next = (): Message | undefined =>
      socket.messages.find((message) => !taken.has(message) && message.id === documented.id);
    await socket.until(() => next() !== undefined);
    const real = next();
    if (real !== undefined) taken.add(real);
    differences.push(...placeholders.differences(documented, real));
  }
  return differences;
}

function blocksIn(section: string): readonly Block[] {
  return BLOCKS.filter((block) => block.section === section && block.kind.startsWith('json '));
}

/** Earlier sections in which the server first tells what the client of this section sends. */
function sectionsThatBring(section: string): readonly string[] {
  const told = new Set<string>();
  const wanted = new Set<string>();
  for (const { kind, text } of blocksIn(section)) {
    for (const [name] of text.matchAll(/<[^<>]+>/g)) {
      if (kind === 'json server') told.add(name);
      else if (!told.has(name)) wanted.add(name);
    }
  }
  const earlier = SECTIONS.slice(0, SECTIONS.indexOf(section));
  const first = [...wanted].map((name) =>
    earlier.find((one) => blocksIn(one).some(({ kind, text }) => kind === 'json server' && text.includes(name))),
  );
  return earlier.filter((one) => first.includes(one));
}

function parsed(text: string): unknown {
  return JSON.parse(text);
}

describe('docs/protocol.md', () => {
  test('has messages to compare', () => {
    expect(SECTIONS.length).toBeGreaterThanOrEqual(4);
    expect(BLOCKS.filter(({ kind }) => kind === 'json server').length).toBeGreaterThan(15);
    // Nothing in JSON that is not compared.
    expect(BLOCKS.filter(({ kind }) => kind === 'json')).toEqual([]);
  });

  test.each(SECTIONS)('%s: a server answers the messages as it says there', async (section) => {
    await using app = await start();
    const placeholders = new Placeholders();
    // Messages of a section may hold values that a section before it has brought, such as a cursor.
    for (const earlier of sectionsThatBring(section)) {
      expect(await played(app, blocksIn(earlier), placeholders)).toEqual([]);
    }
    expect(await played(app, blocksIn(section), placeholders)).toEqual([]);
  });

  test('over HTTP: a subscription answers the documented request with the documented events', async () => {
    await using app = await start();
    const [asked, answered] = ['sh', 'text stream'].map((kind) => BLOCKS.find((block) => block.kind === kind)?.text);
    const body = /-d '(.+)'/.exec(asked ?? '')?.[1];
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: body ?? '',
    });
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk); // of fetch
      if (/^data: .+\n\n/m.test(text)) break;
    }
    expect(new Placeholders().differences(answered?.trim(), text.trim())).toEqual([]);
  });

  test('a difference is found where there is one', () => {
    const names = new Placeholders();
    const documented = { cursor: '<cursor>', list: [{ after: 'x <cursor>' }], extensions: { code: 'A' } };
    expect(
      names.differences(documented, { cursor: '1', list: [{ after: 'x 1' }], extensions: { code: 'A', b: 1 } }),
    ).toEqual([]);
    expect(names.differences(documented, { cursor: '2', list: [{}], extensions: { code: 'A' } })).toHaveLength(2);
    expect(names.differences(documented, { cursor: '1', list: [], extensions: { code: 1 }, more: 1 })).toHaveLength(3);
  });
});
