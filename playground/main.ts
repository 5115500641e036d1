import { NoticesDocument, RequestAgentUpdateDocument, run } from '../src/client/index.js';
import { AgentStream, type Arrival } from './agent-stream.js';
import { ask } from './ask.js';
import { connect } from './connection.js';
import { AgentsPanel } from './panels/agents.js';
import { FiguresPanel } from './panels/figures.js';
import { FiltersPanel } from './panels/filters.js';
import { NoticesPanel } from './panels/notices.js';
import { ServersPanel } from './panels/servers.js';
import { StatusPanel } from './panels/status.js';
import { TokenPanel } from './panels/token.js';
import { watchServers } from './server-watch.js';

const status = new StatusPanel();
const figures = new FiguresPanel();
const agents = new AgentsPanel();
const servers = new ServersPanel();
const notices = new NoticesPanel();
const tell = (error: unknown): void => status.tell(error);

const token = new TokenPanel();
const client = connect(
  (state) => status.show(state),
  (reason) => token.ask(reason),
);

// However many updates come between two frames, the page is drawn once.
let latest: Arrival | null = null;
const draw = (): void => {
  if (latest === null) return;
  agents.show(latest.agents);
  figures.show(latest);
  latest = null;
};
const stream = new AgentStream({
  client,
  retryMs: 2_000,
  onProblem: tell,
  onArrival: (arrival) => {
    status.clear();
    figures.count(arrival);
    if (latest === null) requestAnimationFrame(draw);
    latest = arrival;
  },
});

const filters = new FiltersPanel({
  onChange: (chosen) => stream.follow(chosen),
  onAsk: () => {
    ask(client, RequestAgentUpdateDocument, {}).catch(tell);
  },
});
stream.follow(filters.filters);

watchServers(client, (found) => servers.show(found), tell);

const followNotices = async (): Promise<void> => {
  for await (const { notices: notice } of run(client, NoticesDocument)) notices.add(notice);
};
followNotices().catch(tell);
