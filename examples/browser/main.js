// A list of agents that keeps itself up to date. The address of swarmlens stands behind the `#` of the page's own.
import { createSwarmClient } from '@swarmlens/client';

const url = location.hash === '' ? 'http://127.0.0.1:4000' : location.hash.slice(1);
const client = createSwarmClient({ url });
const agents = client.agents();

/** @param {string} id */
const find = (id) => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
};

const draw = () => {
  const items = [...agents.getSnapshot().agents.values()].map(({ name, type, status }) => {
    const item = document.createElement('li');
    item.textContent = `${name} (${type}): ${status}`;
    return item;
  });
  find('agents').replaceChildren(...items);
};

client.connection.subscribe(() => {
  const { status, reason, latencyMs } = client.connection.getSnapshot();
  find('connection').textContent = reason ?? (latencyMs === null ? status : `${status}, ${Math.round(latencyMs)} ms`);
});

// However many updates come between two frames, the page is drawn once.
let isDue = false;
agents.subscribe(() => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw();
  });
});

find('type').addEventListener('change', ({ target }) => {
  const type = target instanceof HTMLInputElement ? target.value.trim() : '';
  agents.updateRequest({ agentTypes: type === '' ? null : [type] });
});
