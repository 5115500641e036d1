// What the measured cases say of the goals that the delivery engine was built for.
import { median } from './support/statistics.js';

/** Rows of goal, what was measured, and whether it is met; `null`: not measured. */
export function judge(results) {
  return [
    ...ratioGoals(results.marginal ?? []),
    memoryGoal(results.memory ?? []),
    oneCoreGoal(results.oneCore ?? []),
    joiningGoal(results.joining ?? []),
    growthGoal(results.growth ?? []),
    accessGoal(results.access ?? []),
  ];
}

function ratioGoals(marginal) {
  const of = (contender, filters, compressed) =>
    marginal.find(
      (row) =>
        row.contender === contender &&
        row.filters === filters &&
        row.compressed === compressed &&
        row.rounds.length > 0 &&
        row.ratio != null,
    );
  const equal = of('swarmlens', 'equal', false);
  const compressed = of('swarmlens', 'equal', true);
  const distinct = of('swarmlens', 'distinct', false);
  const bytes = (row) => row.rounds.at(-1).many.bytesPerUpdate;
  const share = equal && compressed && bytes(compressed) / bytes(equal);
  return [
    {
      name: 'equal, uncompressed: marginal CPU',
      goal: '≤ 1.0 × raw',
      measured: equal && `${equal.ratio.toFixed(2)} ×`,
      met: equal && equal.ratio <= 1,
    },
    {
      name: 'equal, compressed: marginal CPU and bytes',
      goal: '≤ 1.0 × raw uncompressed, ≤ 1/5 of the bytes',
      measured:
        share &&
        (compressed.extensions === ''
          ? 'not negotiated'
          : `${compressed.ratio.toFixed(2)} ×, 1/${(1 / share).toFixed(1)} of the bytes`),
      met: share && compressed.extensions !== '' && compressed.ratio <= 1 && share <= 1 / 5,
    },
    {
      name: '300 subscribers, all filters distinct: marginal CPU',
      goal: '≤ 2.5 × raw',
      measured: distinct && `${distinct.ratio.toFixed(2)} ×`,
      met: distinct && distinct.ratio <= 2.5,
    },
  ];
}

function memoryGoal(memory) {
  const row = memory.find(({ contender, compressed }) => contender === 'swarmlens' && compressed);
  // Of what it is after a collection of garbage and what it is in the middle of sending.
  const kilobytes = row && Math.max(row.subscribedKB, row.sendingKB);
  return {
    name: 'RSS per subscribed connection, compression negotiated',
    goal: '≤ 60 KB',
    measured: row && `${kilobytes.toFixed(0)} KB${row.extensions === '' ? ', not negotiated' : ''}`,
    met: row && row.extensions !== '' && kilobytes <= 60,
  };
}

function oneCoreGoal(oneCore) {
  const row = oneCore.find(({ contender, compressed }) => contender === 'swarmlens' && !compressed);
  const measured = row !== undefined && row.rounds.length > 0;
  const p99Ms = measured && median(row.rounds.map((one) => one.p99Ms));
  const delivered = measured && median(row.rounds.map((one) => one.updates / one.due));
  return {
    name: 'one core, 60 Hz, 500 subscribers, 5 KB',
    goal: 'every tick delivered, p99 ≤ 20 ms',
    measured:
      measured && `${(delivered * 100).toFixed(2)} %, p99 ${p99Ms.toFixed(1)} ms${row.pinned ? '' : ', not pinned'}`,
    met: measured && delivered >= 1 && p99Ms <= 20,
  };
}

function joiningGoal(joining) {
  const row = joining.find(({ contender, filters }) => contender === 'swarmlens' && filters === 'equal');
  return {
    name: 'joining: 1,000 subscriptions at once',
    goal: 'all snapshots within 1 s',
    measured: row && `${row.firstMs.toFixed(0)} ms`,
    met: row && row.firstMs <= 1_000,
  };
}

/** Of equal and of distinct filters; finding what changed is no part of delivery. */
function growthGoal(growth) {
  const rows = growth.slice(0, 2).map(({ sizes }) => sizes.map(({ cpuMicrosPerUpdate }) => cpuMicrosPerUpdate));
  const measured = rows.length > 0 && rows.every((costs) => costs.every((cost) => cost !== undefined));
  const growing = measured && Math.max(...rows.map((costs) => Math.max(...costs) / Math.min(...costs) - 1));
  return {
    name: '100 → 10,000 agents, as many changing: CPU per update',
    goal: 'flat within 20 %',
    measured:
      measured &&
      `${rows.map((costs) => costs.map((cost) => cost.toFixed(0)).join(', ')).join('; ')} µs: within ${(growing * 100).toFixed(0)} %`,
    met: measured && growing <= 0.2,
  };
}

/** Scope, not token, is what subscriptions are shared by. */
function accessGoal([row]) {
  return {
    name: 'static token and restricted scope, 1,000 equal subscribers: CPU per update',
    goal: 'within 5 % of that without authentication',
    measured: row && `${row.ratio.toFixed(3)} ×`,
    met: row && row.ratio <= 1.05,
  };
}
