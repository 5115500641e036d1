import type { Agent, ReportedAgent } from '../../src/model/index.js';

const UNKNOWN = { title: null, workspace: null, activity: null, usage: null, context: null } as const;

/** Fields of a test agent that only observers report. */
export const UNOBSERVED = { parentId: null, ...UNKNOWN } as const satisfies Partial<Agent>;

/** Fields of a reported test agent that only observers report. */
export const NOT_REPORTED = { parentNativeId: null, ...UNKNOWN } as const satisfies Partial<ReportedAgent>;
