import type { JSX } from 'preact';
import { HealthTab } from '../health/health-tab.js';
import { describeEmptyList } from '../model/describe-empty-list.js';
import { AgentDetails } from './agent-details.js';
import { AgentList } from './agent-list.js';
import { AgentToolbar } from './agent-toolbar.js';
import { Banners } from './banners.js';
import { CountsBar } from './counts-bar.js';
import { GraphStage } from './graph-stage.js';
import { HelpDialog } from './help-dialog.js';
import { usePage } from './page-context.js';
import { TasksTab } from './task-board.js';
import { TopBar } from './top-bar.js';
import { WaitingList } from './waiting-list.js';

/** The page. */
export function App(): JSX.Element {
  const { view, connection } = usePage();
  const { status } = connection.value;
  const isLost = status === 'RECONNECTING' || status === 'CLOSED';
  return (
    <div class={isLost ? 'page lost' : 'page'} data-tab={view.tab}>
      <a class="skip" href="#agents">
        Skip to the list of agents
      </a>
      <TopBar />
      <CountsBar />
      <Banners />
      <main>
        {/* The graph keeps its state while another tab is shown. */}
        <section class="swarm" aria-label="Agents" hidden={view.tab !== 'agents'}>
          <AgentsTab />
        </section>
        {view.tab === 'tasks' && <TasksTab />}
        {view.tab === 'health' && <HealthTab />}
      </main>
      <HelpDialog />
    </div>
  );
}

function AgentsTab(): JSX.Element {
  const { tree, stream, isFiltered, view } = usePage();
  const isEmpty = tree.value.rows.length === 0;
  return (
    <>
      {view.tab === 'agents' && <AgentToolbar />}
      <div class="columns">
        <div class="panel list">
          <AgentList />
          {isEmpty && (
            <p id="agents-note" class="hint">
              {describeEmptyList(stream.value, isFiltered.value)}
            </p>
          )}
        </div>
        <GraphStage />
        <div class="side">
          <WaitingList />
          <AgentDetails />
        </div>
      </div>
    </>
  );
}
