export { decide, nextChangeAt } from './decide.js';
export { reasonCodes, type Decision, type JsonObject, type Reason, type ReasonCode, type Target } from './decision.js';
export { explain } from './explain.js';
export type { ExplainFacts, ExplainStep, Explanation } from './explanation.js';
export { gainedAccess, type Gain, type Reach } from './gained-access.js';
export { compileGlob, isGlob, type GlobMatcher } from './glob.js';
export { selectsServer } from './grant-relations.js';
export { globCovers } from './glob-relations.js';
export { compileTable, grantsFor, type PolicyTable } from './policy-table.js';
