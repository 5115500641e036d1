// Measures the cost of an update for a growing number of agents of which equally many change.
import { withMeasurement } from '../support/measure.js';
import { median } from '../support/statistics.js';

const AGENTS = [100, 1_000, 10_000];
const SUBSCRIBERS = 60;
const HZ = 60;

const KINDS = [
  { name: 'equal filters', filters: 'equal', diff: false, hz: HZ, rounds: 3 },
  { name: 'distinct filters', filters: 'distinct', diff: false, hz: 10, rounds: 1 },
  { name: 'equal filters, all agents compared in each tick', filters: 'equal', diff: true, hz: 10, rounds: 1 },
];

export function growthJobs({ seconds, contenders, results }) {
  results.growth = [];
  if (!contenders.includes('swarmlens')) return [];
  const jobs = [];
  for (const { name, rounds, ...load } of KINDS) {
    const row = { name, sizes: AGENTS.map((agents) => ({ agents, rounds: [] })) };
    results.growth.push(row);
    for (let number = 1; number <= rounds; number += 1) {
      for (const size of row.sizes) {
        jobs.push({
          title: `growth ${number}/${rounds}: ${size.agents} agents, ${name}`,
          seconds: 2 + seconds + 2,
          async run() {
            const round = await measure({ ...load, agents: size.agents }, seconds);
            size.rounds.push(round);
            size.cpuMicrosPerUpdate = median(size.rounds.map((entry) => entry.cpuMicrosPerUpdate));
            return `${round.cpuMicrosPerUpdate.toFixed(1)} µs per update`;
          },
        });
      }
    }
  }
  return jobs;
}

function measure(load, seconds) {
  const options = { contender: 'swarmlens', changed: 20, compressed: false, total: SUBSCRIBERS, ...load };
  return withMeasurement(options, async (measurement) => {
    await measurement.connect(SUBSCRIBERS);
    await measurement.subscribe(SUBSCRIBERS);
    await measurement.run(2);
    return measurement.run(seconds);
  });
}
