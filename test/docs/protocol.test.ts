import { describe, expect, test } from 'vitest';
import { simulated } from '../upstream/discovery/listeners.js';
import { serverConfig, startApp } from '../support/app.js';
import { RawGraphqlWsClient, type Message } from '../support/raw-graphql-ws-client.js';
import { type Block, blocksOf, readPage } from './page.js';
import { Placeholders } from './template.js';

const BLOCKS = blocksOf(readPage('docs/protocol.md'));
const SECTIONS = [...new Set(BLOCKS.filter(({ kind }) => kind === 'json client').map(({ section }) => section))];

/** Starts swarmlens in the state that the page assumes at its beginning. */
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

/** Sends the client messages of one section and returns the differences between real and documented responses. */
async function replay(
  app: { readonly url: string },
  blocks: readonly Block[],
  placeholders: Placeholders,
): Promise<readonly string[]> {
  const first = blocks[0]?.text ?? '';
  const server = { socketUrl: `${app.url.replace('http', 'ws')}/graphql` };
  const { payload = null } = parsed(first) as { payload?: Record<string, unknown> }; // payload of `connection_init`; ignored in other messages
  const opens = first.includes('connection_init');
  await using socket = await RawGraphqlWsClient.open(server, opens ? payload : null);
  if (!opens) await socket.until(({ messages }) => messages.length > 0);
  const compared = new Set<Message>(socket.messages);
  const differences: string[] = [];
  const sent = new Set<Block>();
  for (const block of opens ? blocks.slice(1) : blocks) {
    const { kind, text } = block;
    if (kind === 'json client') {
      // A repetition is rejected within one second only, and a response may take longer. Therefore both are sent at once.
      const isRepeated = text.includes('mutation { refreshDiscovery ');
      const repeated = blocks.filter((one) => isRepeated && one.kind === kind && one.text.includes('refreshDiscovery'));
      for (const one of [block, ...repeated]) {
        if (!sent.has(one)) socket.send(parsed(placeholders.fill(one.text)));
        sent.add(one);
      }
      continue;
    }
    const documented = parsed(text) as Message; // message of the page
    const next = (): Message | undefined =>
      socket.messages.find((message) => !compared.has(message) && message.id === documented.id);
    await socket.until(() => next() !== undefined);
    const real = next();
    if (real !== undefined) compared.add(real);
    differences.push(...placeholders.differences(documented, real));
  }
  return differences;
}

function blocksIn(section: string): readonly Block[] {
  return BLOCKS.filter((block) => block.section === section && block.kind.startsWith('json '));
}

/** Returns the earlier sections in which the server sends the values that the client of this section needs. */
function listRequiredSections(section: string): readonly string[] {
  const received = new Set<string>();
  const needed = new Set<string>();
  for (const { kind, text } of blocksIn(section)) {
    for (const [name] of text.matchAll(/<[^<>]+>/g)) {
      if (kind === 'json server') received.add(name);
      else if (!received.has(name)) needed.add(name);
    }
  }
  const earlier = SECTIONS.slice(0, SECTIONS.indexOf(section));
  const first = [...needed].map((name) =>
    earlier.find((one) => blocksIn(one).some(({ kind, text }) => kind === 'json server' && text.includes(name))),
  );
  return earlier.filter((one) => first.includes(one));
}

function parsed(text: string): unknown {
  return JSON.parse(text);
}

describe('docs/protocol.md', () => {
  test('contains client and server messages, and no JSON that is not compared', () => {
    expect(SECTIONS.length).toBeGreaterThanOrEqual(4);
    expect(BLOCKS.filter(({ kind }) => kind === 'json server').length).toBeGreaterThan(15);
    expect(BLOCKS.filter(({ kind }) => kind === 'json')).toEqual([]);
  });

  test.each(SECTIONS)('%s: documents the responses of the server to the client messages', async (section) => {
    await using app = await start();
    const placeholders = new Placeholders();
    // Messages of a section may contain values from an earlier section, such as a cursor.
    for (const earlier of listRequiredSections(section)) {
      expect(await replay(app, blocksIn(earlier), placeholders)).toEqual([]);
    }
    expect(await replay(app, blocksIn(section), placeholders)).toEqual([]);
  });

  test('documents the events of a subscription over HTTP', async () => {
    await using app = await start();
    const [request, documented] = ['sh', 'text stream'].map(
      (kind) => BLOCKS.find((block) => block.kind === kind)?.text,
    );
    const body = /-d '(.+)'/.exec(request ?? '')?.[1];
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: body ?? '',
    });
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk); // chunk of fetch
      if (/^data: .+\n\n/m.test(text)) break;
    }
    expect(new Placeholders().differences(documented?.trim(), text.trim())).toEqual([]);
  });

  test('is compared by Placeholders, which report every difference', () => {
    const names = new Placeholders();
    const documented = { cursor: '<cursor>', list: [{ after: 'x <cursor>' }], extensions: { code: 'A' } };
    expect(
      names.differences(documented, { cursor: '1', list: [{ after: 'x 1' }], extensions: { code: 'A', b: 1 } }),
    ).toEqual([]);
    expect(names.differences(documented, { cursor: '2', list: [{}], extensions: { code: 'A' } })).toHaveLength(2);
    expect(names.differences(documented, { cursor: '1', list: [], extensions: { code: 1 }, more: 1 })).toHaveLength(3);
  });
});
