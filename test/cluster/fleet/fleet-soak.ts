import { readFileSync } from 'node:fs';
import { sleep, systemClock } from '../../../src/shared/index.js';
import { waitUntil } from '../../support/wait.js';
import { Fleet } from './fleet.js';
import { endure, FLEET_FAULTS, REDIS_KILLED, REDIS_STOPPED } from './fleet-faults.js';
import { StalledClient, Traffic } from '../stalled-client.js';
import { failOwner, type Takeover } from './takeover.js';

const CLIENTS = 30;
/** Duration in milliseconds of faults that do not end by themselves. */
const FAULT_MS = 10_000;
/** Maximum time in milliseconds from the return of Redis until all clients have the correct agents. */
const MAX_AFTER_REDIS_MS = 1_000;
const KILLS = 10;
const IDLE_MS = 10_000;
/** Maximum time in milliseconds from the death of a node until all clients have fresh agents. */
const MAX_TAKEOVER_MS = 3_000;
const STALLED_MS = 60_000;
const SAMPLE_MS = 1_000;
/** Maximum growth factor of the memory of a node with a client that does not read. */
const MAX_GROWTH = 1.2;
const MAX_WAITING_BYTES = 65_536;
const NEVER = new AbortController().signal;

type Print = (line: string) => void;

/** Injects each fault into three nodes in processes of their own. @returns the problems found */
export async function soakFaults(print: Print): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const fault of FLEET_FAULTS) {
    await using fleet = await Fleet.start({ areProcesses: true, leaseMs: 1_500 });
    await fleet.join(CLIENTS);
    await fleet.polledBy(3);
    const healedMs = await endure(fleet, fault, FAULT_MS);
    print(`${fault.name}: recovered after ${healedMs.toFixed(0)} ms`);
    const isOfRedis = fault === REDIS_STOPPED || fault === REDIS_KILLED;
    if (isOfRedis && healedMs > MAX_AFTER_REDIS_MS)
      problems.push(`${fault.name}: ${healedMs.toFixed(0)} ms is too long`);
    await fleet.isSpread();
    fleet.freeze();
    await fleet.isWhole();
    problems.push(...(await fleet.differences()).map((one) => `${fault.name}: ${one}`));
  }
  return problems;
}

/**
 * Kills the node that polls a server ten times, with the default configuration. Prints the time until a client of another node has
 * fresh agents again, and the number of commands that an idle node sends to Redis. @returns the problems found
 */
export async function soakTakeover(print: Print): Promise<readonly string[]> {
  await using fleet = await Fleet.start({ areProcesses: true, leaseMs: null });
  fleet.freeze();
  const before = await commandsOf(fleet);
  await sleep(systemClock, IDLE_MS, NEVER);
  const perSecond = ((await commandsOf(fleet)) - before) / (IDLE_MS / 1_000) / fleet.nodes.length;
  print(`an idle node sends ${perSecond.toFixed(1)} commands per second to Redis, including those in scripts`);
  fleet.thaw();
  const takeovers: Takeover[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    takeovers.push(await failOwner(fleet, (owner) => fleet.kill(owner)));
    await fleet.add();
    await fleet.isSpread();
  }
  const longestMs = Math.max(...takeovers.map(({ freshMs }) => freshMs));
  for (const name of ['calledMs', 'freshMs'] as const) {
    const sorted = takeovers.map((takeover) => takeover[name]).toSorted((a, b) => a - b);
    const [median = NaN, highest = NaN] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    print(`${name} after ${KILLS} kills: median ${median.toFixed(0)} ms, maximum ${highest.toFixed(0)} ms`);
  }
  return longestMs <= MAX_TAKEOVER_MS ? [] : [`a takeover took ${longestMs.toFixed(0)} ms`];
}

/** Returns the number of commands that Redis has run. */
async function commandsOf({ redis }: Fleet): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.look.info('stats'))?.[1]);
}

/** Connects a client to one node that reads nothing for a minute. @returns the problems found */
export async function soakStalled(print: Print): Promise<readonly string[]> {
  await using fleet = await Fleet.start({ areProcesses: true, leaseMs: 1_500, agents: 60, hz: 30 });
  await using stalled = await StalledClient.join(fleet.nodes[0]?.url ?? '');
  await stalled.isStalled();
  using traffic = await Traffic.open(fleet.redis.look);
  const samples: { readonly waiting: number; readonly rss: number }[] = [];
  for (let ms = 0; ms < STALLED_MS; ms += SAMPLE_MS) {
    await sleep(systemClock, SAMPLE_MS, NEVER);
    const rss = Math.max(...fleet.nodes.map(({ pid }) => (pid === null ? 0 : rssBytes(pid))));
    samples.push({ waiting: await traffic.waitingBytes(), rss });
  }
  await waitUntil(() => traffic.bytes > 0, { state: () => samples.at(-1) });
  const part = Math.floor(samples.length / 3);
  // The first third is skipped, because code is still being loaded and compiled.
  const [before, after] = [samples.slice(part, 2 * part), samples.slice(-part)].map((some) =>
    Math.max(...some.map(({ rss }) => rss)),
  );
  const growth = (after ?? NaN) / (before ?? NaN);
  const waiting = Math.max(...samples.map((sample) => sample.waiting));
  print(
    `with a client that does not read: ${traffic.bytes} bytes of messages, ${waiting} waited in Redis at most, memory ${growth.toFixed(2)}×`,
  );
  return [
    ...(growth < MAX_GROWTH ? [] : [`the memory of a node grew ${growth.toFixed(2)}×`]),
    ...(waiting <= MAX_WAITING_BYTES ? [] : [`${waiting} bytes waited in Redis for one node`]),
  ];
}

/** Returns the resident set size of a process in bytes. */
function rssBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}
