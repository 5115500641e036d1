// Shows a live list of agents. The page's URL fragment (after `#`) is the address of swarmlens.
import { createSwarmClient } from '@swarmlens/client';

const url = location.hash === '' ? 'http://127.0.0.1:4000' : location.hash.slice(1);
const client = createSwarmClient({ url });
const agents = client.agents();

/** @param {string} id */
const findElement = (id) => {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
};

const draw = () => {
  const items = [...agents.getSnapshot().agents.values()].map(({ name, type, status }) => {
    const item = document.createElement('li');
    item.textContent = `${name} (${type}): ${status}`;
    return item;
  });
  findElement('agents').replaceChildren(...items);
};

client.connection.subscribe(() => {
  const { status, reason, latencyMs } = client.connection.getSnapshot();
  const state = latencyMs === null ? status : `${status}, ${Math.round(latencyMs)} ms`;
  findElement('connection').textContent = reason ?? state;
});

// Draws once per frame, however many updates arrive between two frames.
let isScheduled = false;
agents.subscribe(() => {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    draw();
  });
});

findElement('type').addEventListener('change', ({ target }) => {
  const type = target instanceof HTMLInputElement ? target.value.trim() : '';
  agents.updateRequest({ agentTypes: type === '' ? null : [type] });
});
