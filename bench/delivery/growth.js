// Cost of an update when there are more agents and no more of them change.
import { withBout } from '../support/measure.js';
import { median } from '../support/statistics.js';

const AGENTS = [100, 1_000, 10_000];
const SUBSCRIBERS = 60;
const HZ = 60;

const KINDS = [
  { name: 'equal filters', filters: 'equal', diff: false, hz: HZ, rounds: 3 },
  { name: 'distinct filters', filters: 'distinct', diff: false, hz: 10, rounds: 1 },
  { name: 'equal filters, whole picture compared each tick', filters: 'equal', diff: true, hz: 10, rounds: 1 },
];

export function growthJobs({ seconds, contenders, results }) {
  results.growth = [];
  if (!contenders.includes('swarmlens')) return [];
  const jobs = [];
  for (const { name, rounds, ...load } of KINDS) {
    const row = { name, sizes: AGENTS.map((agents) => ({ agents, rounds: [] })) };
    results.growth.push(row);
    for (let round = 1; round <= rounds; round += 1) {
      for (const size of row.sizes) {
        jobs.push({
          title: `growth ${round}/${rounds}: ${size.agents} agents, ${name}`,
          seconds: 2 + seconds + 2,
          async run() {
            const one = await measure({ ...load, agents: size.agents }, seconds);
            size.rounds.push(one);
            size.cpuMicrosPerUpdate = median(size.rounds.map((each) => each.cpuMicrosPerUpdate));
            return `${one.cpuMicrosPerUpdate.toFixed(1)} µs an update`;
          },
        });
      }
    }
  }
  return jobs;
}

function measure(load, seconds) {
  const options = { contender: 'swarmlens', changed: 20, compressed: false, total: SUBSCRIBERS, ...load };
  return withBout(options, async (bout) => {
    await bout.connect(SUBSCRIBERS);
    await bout.subscribe(SUBSCRIBERS);
    await bout.run(2);
    return bout.run(seconds);
  });
}
