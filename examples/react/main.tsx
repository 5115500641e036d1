import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createSwarmClient } from '@swarmlens/client';
import { Agents } from './agents.jsx';

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');

const client = createSwarmClient({ url: location.hash === '' ? 'http://127.0.0.1:4000' : location.hash.slice(1) });

createRoot(root).render(
  <StrictMode>
    <Agents client={client} />
  </StrictMode>,
);
