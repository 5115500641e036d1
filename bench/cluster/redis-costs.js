// Measures the CPU time of Redis per message and subscriber.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startRedis } from './fleet.js';
import { cpuMicros } from '../support/process-usage.js';

const FEW = 2;
const MANY = 42;
const MESSAGES = 4_000;

/** Returns the CPU time of Redis in µs: per message and additional subscriber, and per published message. */
export async function redisCosts(messageBytes) {
  const folder = mkdtempSync(join(tmpdir(), 'swarmlens-bench-'));
  const { redis, port } = await startRedis(folder);
  const publisher = new Redis(port);
  const sinks = [];
  const message = 'x'.repeat(messageBytes);
  try {
    const measure = async (subscribers) => {
      while (sinks.length < subscribers) sinks.push(await openSink(port));
      const before = cpuMicros(redis.pid);
      // Sequentially, as a node publishes, so that no two messages share a write.
      for (let sent = 0; sent < MESSAGES; sent += 1) await publisher.publish('swarmlens:{sim}:changes', message);
      return (cpuMicros(redis.pid) - before) / MESSAGES;
    };
    await measure(FEW);
    const few = await measure(FEW);
    const many = await measure(MANY);
    const handOut = (many - few) / (MANY - FEW);
    return { handOutMicros: handOut, publishMicros: few - handOut * FEW };
  } finally {
    for (const sink of sinks) sink.destroy();
    publisher.disconnect();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens a subscription that discards everything. */
async function openSink(port) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('PSUBSCRIBE swarmlens:*:changes\r\n');
  await once(socket, 'data');
  return socket.resume();
}
