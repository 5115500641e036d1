// Behaves like claude-flow: each call appends to a file below the working directory and reads the whole file.
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { send, serve, text, tools } from './serve.js';

const folder = join('.claude-flow', 'policy');
const record = () => {
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, 'state.json'), '.');
};
const waiting = [];
const answers = () => ({
  entries: readFileSync(join(folder, 'state.json'), 'utf8').length,
  cwd: process.cwd(),
  observed: process.env.CLAUDE_FLOW_CWD,
});

serve(
  tools({
    agent_list: () => {
      record();
      return text(answers());
    },
    wait: (_args, id) => {
      record();
      waiting.push(id);
    },
    go: () => {
      for (const id of waiting.splice(0)) send({ id, result: text(answers()) });
      record();
      return text(answers());
    },
  }),
);
