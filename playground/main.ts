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

/** Interval of text updates in milliseconds. Text changes less often than the graph, so that it can be read. */
const TEXT_INTERVAL_MS = 200;

const dark = matchMedia('(prefers-color-scheme: dark)');
const currentTheme = (): Theme => (dark.matches ? 'dark' : 'light');

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
  graphView?.select(agentId);
  agents.select(agentId);
  updateTexts();
};

const graphView = createGraphView();
const controls = new GraphControls(graphView, () => {
  graphView?.highlight(controls.matcher);
  updateTexts();
});
const lookAt = (agentId: string): void => graphView?.lookAt(agentId);
const agents = new AgentsPanel(select, lookAt);
const details = new DetailsPanel({ onClose: () => select(null), onLookAt: lookAt });
const totals = new TotalsPanel();
const history = new AgentHistory();
const filters = new FiltersPanel({
  onChange: (change) => stream.updateRequest(change),
  onRequestUpdate: () => {
    client.mutate(RequestAgentUpdateDocument).catch((error: unknown) => connection.showProblem(formatError(error)));
  },
});
filters.showRequest(stream.getSnapshot().request);

/** Returns null if the browser has no WebGL. The rest of the page works without the graph. */
function createGraphView(): GraphView | null {
  try {
    return new GraphView({
      container: findElement('stage', HTMLDivElement),
      theme: currentTheme(),
      isStill: matchMedia('(prefers-reduced-motion: reduce)').matches,
      onSelect: select,
    });
  } catch {
    return null;
  }
}

/** Updates every text of the page. */
function updateTexts(): void {
  const snapshot = stream.getSnapshot();
  const { matcher } = controls;
  const all = [...snapshot.agents.values()];
  const theme = currentTheme();
  totals.show(snapshot);
  filters.show(snapshot, theme);
  controls.show(snapshot, theme);
  agents.show(matcher === null ? all : all.filter(matcher), all.length, theme);
  details.show(
    selected,
    selected === null ? null : (snapshot.agents.get(selected) ?? null),
    selected === null ? [] : history.get(selected),
  );
}

let isTextScheduled = false;
stream.subscribe(() => {
  const snapshot = stream.getSnapshot();
  history.record(snapshot.agents, Date.now());
  graphView?.show(snapshot);
  if (isTextScheduled) return;
  isTextScheduled = true;
  setTimeout(() => {
    isTextScheduled = false;
    updateTexts();
  }, TEXT_INTERVAL_MS);
});
updateTexts();

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
  if (graphView !== null) graphView.theme = currentTheme();
  healthPanel.repaint();
  updateTexts();
});
