import { expect, test } from 'vitest';
import { ConnectDeadline } from '../../src/mcp/connect-deadline.js';
import { ManualClock } from '../support/manual-clock.js';

/** Starts a deadline of 1 s, or 0.5 s for a silent server. */
function startDeadline(): {
  clock: ManualClock;
  deadline: ConnectDeadline;
  server: { hasReceived: boolean };
  reason: () => string | null;
} {
  const clock = new ManualClock();
  const server = { hasReceived: false };
  const deadline = new ConnectDeadline(clock, {
    timeoutMs: 1_000,
    maxMs: 5_000,
    silence: { limitMs: 500, hasReceived: () => server.hasReceived },
  });
  const { signal } = deadline;
  return { clock, deadline, server, reason: () => (signal.aborted ? String(signal.reason) : null) };
}

test('ends the attempt at the limit of silence when the server has sent nothing', async () => {
  const { clock, deadline, reason } = startDeadline();
  using _deadline = deadline;
  await clock.pass(499);
  expect(reason()).toBeNull();
  await clock.pass(1);
  expect(reason()).toContain('no answer within 500 ms');
});

test('ends the attempt at the usual limit when the server has sent a message', async () => {
  const { clock, deadline, server, reason } = startDeadline();
  using _deadline = deadline;
  await clock.pass(400);
  server.hasReceived = true;
  await clock.pass(599, 100);
  expect(reason()).toBeNull();
  await clock.pass(1);
  expect(reason()).toMatch(/no answer within 1000 ms$/);
});

test('starts the usual limit with each output, until the maximum duration', async () => {
  const { clock, deadline, reason } = startDeadline();
  using _deadline = deadline;
  await clock.pass(400);
  for (let elapsedMs = 400; elapsedMs < 4_900; elapsedMs += 900) {
    deadline.recordProgress();
    await clock.pass(900, 100);
    expect(reason()).toBeNull();
  }
  deadline.recordProgress();
  await clock.pass(99);
  expect(reason()).toBeNull();
  await clock.pass(1);
  expect(reason()).toContain('no answer within 5000 ms');
});

test('ends the attempt at the usual limit since the last output', async () => {
  const { clock, deadline, reason } = startDeadline();
  using _deadline = deadline;
  await clock.pass(400);
  deadline.recordProgress();
  await clock.pass(999, 100);
  expect(reason()).toBeNull();
  await clock.pass(1);
  expect(reason()).toContain('no answer within 1000 ms after its last output');
});
