import { createSwarmClient } from '@swarmlens/client';
import { render } from 'preact';
import { SEARCH_ID } from './components/agent-toolbar.js';
import { App } from './components/app.js';
import { PageContext } from './components/page-context.js';
import { handlePageKey } from './state/keys.js';
import { PageState } from './state/page-state.js';
import { TokenPrompt } from './state/token-prompt.js';

const token = new TokenPrompt();
const client = createSwarmClient({
  url: '/graphql',
  token: token.source,
  maxTokenRejections: Number.POSITIVE_INFINITY,
});
const page = new PageState({ client, token });

const dark = matchMedia('(prefers-color-scheme: dark)');
const applyTheme = (): void => {
  page.theme.value = dark.matches ? 'dark' : 'light';
};
dark.addEventListener('change', applyTheme);
applyTheme();

addEventListener('keydown', (event) => {
  handlePageKey(event, page, () => document.getElementById(SEARCH_ID)?.focus());
});

const root = document.getElementById('page');
if (root === null) throw new Error('the page has no element #page');
render(
  <PageContext.Provider value={page}>
    <App />
  </PageContext.Provider>,
  root,
);
