// Compares the measured cases with the goals of the delivery engine.
import { median } from './support/statistics.js';

/** Returns one row per goal: the goal, the measured value and whether it is met. Values are null if not measured. */
export function evaluateGoals(results) {
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
  const find = (contender, filters, compressed) =>
    marginal.find(
      (row) =>
        row.contender === contender &&
        row.filters === filters &&
        row.compressed === compressed &&
        row.rounds.length > 0 &&
        row.ratio != null,
    );
  const equal = find('swarmlens', 'equal', false);
  const compressed = find('swarmlens', 'equal', true);
  const distinct = find('swarmlens', 'distinct', false);
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
  // The larger of the values after garbage collection and while sending.
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
  const p99Ms = measured && median(row.rounds.map((round) => round.p99Ms));
  const delivered = measured && median(row.rounds.map((round) => round.updates / round.due));
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
    name: '1,000 simultaneous subscriptions',
    goal: 'all snapshots within 1 s',
    measured: row && `${row.firstMs.toFixed(0)} ms`,
    met: row && row.firstMs <= 1_000,
  };
}

/** Judges equal and distinct filters only, because finding changes is not part of delivery. */
function growthGoal(growth) {
  const rows = growth.slice(0, 2).map(({ sizes }) => sizes.map(({ cpuMicrosPerUpdate }) => cpuMicrosPerUpdate));
  const measured = rows.length > 0 && rows.every((costs) => costs.every((cost) => cost !== undefined));
  const growing = measured && Math.max(...rows.map((costs) => Math.max(...costs) / Math.min(...costs) - 1));
  return {
    name: '100 → 10,000 agents, as many changing: CPU per update',
    goal: 'constant within 20 %',
    measured:
      measured &&
      `${rows.map((costs) => costs.map((cost) => cost.toFixed(0)).join(', ')).join('; ')} µs: within ${(growing * 100).toFixed(0)} %`,
    met: measured && growing <= 0.2,
  };
}

/** Subscriptions are shared by access scope, not by token, so that authentication must cost almost nothing. */
function accessGoal([row]) {
  return {
    name: 'static token and restricted scope, 1,000 equal subscribers: CPU per update',
    goal: 'within 5 % of the cost without authentication',
    measured: row && `${row.ratio.toFixed(3)} ×`,
    met: row && row.ratio <= 1.05,
  };
}
