import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, findChromium, startBrowser } from '../support/chromium.js';
import { DeliveryServer } from '../support/delivery-server.js';

const PLAYGROUND = fileURLToPath(new URL('../../dist/playground/', import.meta.url));
const QUERY = `query=${encodeURIComponent('mutation { requestAgentUpdate { serverIds } }')}`;

const executable = findChromium();
const hasChromium = executable !== null || process.env['CI'] === 'true';

/** Serves a page that links to, frames and requests swarmlens. */
async function serveWiki(swarmlens: string): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html').end(`<!doctype html><title>Wiki</title>
      <a id="playground" href="${swarmlens}/">playground</a>
      <a id="graphiql" href="${swarmlens}/graphql?${QUERY}">GraphiQL</a>
      <form id="form" method="post" action="${swarmlens}/graphql"><input name="query" value="{ agents { id } }"></form>
      <iframe id="frame" src="${request.url === '/framed' ? `${swarmlens}/` : 'about:blank'}"></iframe>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe.skipIf(!hasChromium)(
  `pages of another origin in Chromium${hasChromium ? '' : ' (skipped: not on the PATH, and CHROMIUM_PATH is not set)'}`,
  () => {
    let browser: Browser;
    let swarmlens: DeliveryServer;
    let wiki: Server;

    beforeAll(async () => {
      if (executable === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
      browser = await startBrowser(executable);
      swarmlens = await DeliveryServer.start({}, { playgroundDirectory: PLAYGROUND });
      wiki = await serveWiki(swarmlens.url);
    });

    afterAll(async () => {
      await browser[Symbol.asyncDispose]();
      await swarmlens[Symbol.asyncDispose]();
      wiki.closeAllConnections();
      await new Promise((resolve) => wiki.close(resolve));
    });

    // The server's address is 127.0.0.1, so that the first wiki is another site and the second the same site.
    const originOf = (host: string): string => `http://${host}:${(wiki.address() as AddressInfo).port}`; // a TCP server has a port

    test.each([
      ['localhost', 'playground', 'swarmlens'],
      ['127.0.0.1', 'playground', 'swarmlens'],
      ['localhost', 'graphiql', 'swarmlens'],
      ['127.0.0.1', 'graphiql', 'swarmlens'],
    ])('a link on %s opens the %s and runs no operation', async (host, id, title) => {
      const before = swarmlens.uses.length;
      const page = await browser.context.newPage();
      await page.goto(originOf(host));
      const [response] = await Promise.all([
        page.waitForResponse((answer) => answer.url().startsWith(swarmlens.url)),
        page.click(`#${id}`),
      ]);
      expect(response.status()).toBe(200);
      await page.waitForFunction((expected) => document.title.includes(expected), title);
      await page.close();
      expect(swarmlens.uses).toHaveLength(before);
    });

    test.each(['localhost', '127.0.0.1'])('a frame, a form and scripts on %s are rejected', async (host) => {
      const page = await browser.context.newPage();
      const statuses: number[] = [];
      page.on('response', (answer) => {
        if (answer.url().startsWith(swarmlens.url)) statuses.push(answer.status());
      });
      await page.goto(`${originOf(host)}/framed`);
      const outcome = await page.evaluate(async (url) => {
        const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
        const opened = new Promise<boolean>((resolve) => {
          socket.onopen = () => resolve(true);
          socket.onerror = () => resolve(false);
        });
        const read = await fetch(`${url}/graphql?query={__typename}`).then(
          () => true,
          () => false,
        );
        await fetch(`${url}/graphql?query={__typename}`, { mode: 'no-cors' });
        return { opened: await opened, read };
      }, swarmlens.url);
      expect(outcome).toEqual({ opened: false, read: false });
      const [form] = await Promise.all([
        page.waitForResponse((answer) => answer.request().method() === 'POST'),
        page.evaluate(() => document.querySelector('form')?.submit()),
      ]);
      expect(form.status()).toBe(403);
      // Closing a page that navigates can take forever in Chromium.
      await page.waitForURL((url) => url.href !== `${originOf(host)}/framed`);
      await page.close();
      // Chromium reports no response of the fetch that CORS rejects.
      expect(statuses.length).toBeGreaterThanOrEqual(3);
      expect(new Set(statuses)).toEqual(new Set([403]));
    });
  },
);
