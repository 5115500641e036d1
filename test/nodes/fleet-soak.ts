import { readFileSync } from 'node:fs';
import { sleep, systemClock } from '../../src/shared/index.js';
import { waitUntil } from '../support/wait.js';
import { Fleet } from './fleet.js';
import { endure, FLEET_FAULTS, REDIS_KILLED, REDIS_STOPPED } from './fleet-faults.js';
import { StalledClient, Traffic } from './stalled-client.js';

const CLIENTS = 30;
/** How long a fault lasts that does not end by itself. */
const FAULT_MS = 10_000;
/** All nodes are right again within that time of Redis' return. */
const MAX_AFTER_REDIS_MS = 1_000;
const STALLED_MS = 60_000;
const SAMPLE_MS = 1_000;
/** Of the memory of nodes, beside a client that does not read: the last part against the first. */
const MAX_GROWTH = 1.2;
const MAX_WAITING_BYTES = 65_536;
const NEVER = new AbortController().signal;

type Tell = (line: string) => void;

/** Lets each fault happen to three nodes in processes of their own. @returns what was not as it should be */
export async function soakFaults(tell: Tell): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const fault of FLEET_FAULTS) {
    await using fleet = await Fleet.start({ areProcesses: true, leaseMs: 1_500 });
    await fleet.join(CLIENTS);
    await fleet.polledBy(3);
    const healedMs = await endure(fleet, fault, FAULT_MS);
    tell(`${fault.name}: right again after ${healedMs.toFixed(0)} ms`);
    const isOfRedis = fault === REDIS_STOPPED || fault === REDIS_KILLED;
    if (isOfRedis && healedMs > MAX_AFTER_REDIS_MS)
      problems.push(`${fault.name}: ${healedMs.toFixed(0)} ms are too many`);
    await fleet.isSpread();
    fleet.freeze();
    await fleet.isWhole();
    problems.push(...(await fleet.differences()).map((one) => `${fault.name}: ${one}`));
  }
  return problems;
}

/** A client of one node reads nothing for a minute. @returns what was not as it should be */
export async function soakStalled(tell: Tell): Promise<readonly string[]> {
  await using fleet = await Fleet.start({ areProcesses: true, leaseMs: 1_500, agents: 60, hz: 30 });
  await using stalled = await StalledClient.join(fleet.nodes[0]?.url ?? '');
  await stalled.isStalled();
  using traffic = await Traffic.open(fleet.redis.look);
  const samples: { readonly waiting: number; readonly rss: number }[] = [];
  for (let ms = 0; ms < STALLED_MS; ms += SAMPLE_MS) {
    await sleep(systemClock, SAMPLE_MS, NEVER);
    const rss = Math.max(...fleet.nodes.map(({ pid }) => (pid === null ? 0 : rssBytes(pid))));
    samples.push({ waiting: await traffic.waiting(), rss });
  }
  await waitUntil(() => traffic.bytes > 0, { state: () => samples.at(-1) });
  const part = Math.floor(samples.length / 3);
  // The first third is code being loaded and compiled.
  const [before, after] = [samples.slice(part, 2 * part), samples.slice(-part)].map((some) =>
    Math.max(...some.map(({ rss }) => rss)),
  );
  const growth = (after ?? NaN) / (before ?? NaN);
  const waiting = Math.max(...samples.map((sample) => sample.waiting));
  tell(
    `beside a client that does not read: ${traffic.bytes} bytes of messages, ${waiting} waited in Redis at most, memory ${growth.toFixed(2)}×`,
  );
  return [
    ...(growth < MAX_GROWTH ? [] : [`the memory of a node grew ${growth.toFixed(2)}×`]),
    ...(waiting <= MAX_WAITING_BYTES ? [] : [`${waiting} bytes waited in Redis for one node`]),
  ];
}

/** Resident set, bytes, as Linux counts it. */
function rssBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}
