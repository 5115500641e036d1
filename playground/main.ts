import { createSwarmClient, RefreshDiscoveryDocument, RequestAgentUpdateDocument } from '@swarmlens/client';
import { findElement } from './ui/dom.js';
import type { Theme } from './graph/agent-style.js';
import { GraphView } from './graph/graph-view.js';
import { HealthPanel } from './health/health-panel.js';
import { AgentHistory } from './panels/agent-history.js';
import { AgentsPanel } from './panels/agents-panel.js';
import { ConnectionPanel } from './panels/connection-panel.js';
import { DetailsPanel } from './panels/details-panel.js';
import { TotalsPanel } from './panels/totals-panel.js';
import { FiltersPanel } from './panels/filters-panel.js';
import { NoticesPanel } from './panels/notices-panel.js';
import { GraphControls } from './panels/graph-controls.js';
import { TokenPanel } from './panels/token-panel.js';
import { formatError } from './ui/format.js';

/** What is read and not watched move need not be written as often as the screen is drawn. */
const WORDS_EVERY_MS = 200;

const dark = matchMedia('(prefers-color-scheme: dark)');
const themeNow = (): Theme => (dark.matches ? 'dark' : 'light');

const token = new TokenPanel();
const client = createSwarmClient({
  url: '/graphql',
  token: token.source,
  maxTokenRejections: Number.POSITIVE_INFINITY,
});
const connection = new ConnectionPanel(client.connection);
const stream = client.agents();

let selected: string | null = null;
const select = (agentId: string | null): void => {
  selected = agentId;
  scene?.select(agentId);
  agents.select(agentId);
  tell();
};

const scene = openScene();
const stage = new GraphControls(scene, () => {
  scene?.highlight(stage.sought);
  tell();
});
const lookAt = (agentId: string): void => scene?.lookAt(agentId);
const agents = new AgentsPanel(select, lookAt);
const details = new DetailsPanel({ onClose: () => select(null), onLookAt: lookAt });
const figures = new TotalsPanel();
const history = new AgentHistory();
const filters = new FiltersPanel({
  onChange: (change) => stream.updateRequest(change),
  onAsk: () => {
    client.mutate(RequestAgentUpdateDocument).catch((error: unknown) => connection.tell(formatError(error)));
  },
});
filters.describe(stream.getSnapshot().request);

/** The graph, or nothing where the browser cannot draw it: all else works without. */
function openScene(): GraphView | null {
  try {
    return new GraphView({
      container: findElement('stage', HTMLDivElement),
      theme: themeNow(),
      isStill: matchMedia('(prefers-reduced-motion: reduce)').matches,
      onSelect: select,
    });
  } catch {
    return null;
  }
}

/** Tells all that is words. */
function tell(): void {
  const snapshot = stream.getSnapshot();
  const { sought } = stage;
  const all = [...snapshot.agents.values()];
  const theme = themeNow();
  figures.show(snapshot);
  filters.show(snapshot, theme);
  stage.show(snapshot, theme);
  agents.show(sought === null ? all : all.filter(sought), all.length, theme);
  details.show(
    selected,
    selected === null ? null : (snapshot.agents.get(selected) ?? null),
    selected === null ? [] : history.of(selected),
  );
}

let isWriting = false;
stream.subscribe(() => {
  const snapshot = stream.getSnapshot();
  history.take(snapshot.agents, Date.now());
  scene?.show(snapshot);
  if (isWriting) return;
  isWriting = true;
  setTimeout(() => {
    isWriting = false;
    tell();
  }, WORDS_EVERY_MS);
});
tell();

const health = client.health({ pollIntervalMs: 1_000 });
const healthPanel = new HealthPanel(async () => {
  const { refreshDiscovery } = await client.mutate(RefreshDiscoveryDocument);
  return { servers: refreshDiscovery.servers.length, agents: refreshDiscovery.totalAgents };
});
health.subscribe(() => healthPanel.show(health.getSnapshot()));

const notices = client.notices();
const noticesPanel = new NoticesPanel();
notices.subscribe(() => noticesPanel.show(notices.getSnapshot()));
noticesPanel.show(notices.getSnapshot());

dark.addEventListener('change', () => {
  if (scene !== null) scene.theme = themeNow();
  healthPanel.repaint();
  tell();
});
