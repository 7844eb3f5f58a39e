import { expect, test } from 'vitest';
import { globalRegistry, z } from 'zod';
import * as auditCalls from './audit-calls.js';
import * as auditIntegrity from './audit-integrity.js';
import * as auditReports from './audit-reports.js';
import * as drift from './drift.js';
import * as grants from './grants.js';
import * as launchProfiles from './launch-profiles.js';
import * as operations from './operations.js';
import * as policy from './policy.js';
import * as runners from './runners.js';
import * as servers from './servers.js';
import * as shadowReport from './shadow-report.js';

const modules = { auditCalls, auditIntegrity, auditReports, drift, grants, launchProfiles, operations, policy, runners, servers, shadowReport };
const schemas = Object.values(modules)
  .flatMap((module) => Object.values<unknown>(module))
  .filter((value) => value instanceof z.ZodType);
const withExamples = schemas.flatMap((schema) => {
  const { id, examples = [] } = globalRegistry.get(schema) ?? {};
  return (examples as readonly unknown[]).map((example) => [id ?? '', schema, example] as const);
});

test.each(withExamples)('the example of %s is one', (_id, schema, example) => {
  expect(schema.safeParse(example).error).toBeUndefined();
});

test('what audit, drift and runner routes take and answer has examples', () => {
  const ids = new Set(withExamples.map(([id]) => id));
  const wanted = 'AuditCall AuditRecord AuditRecordPage AuditAggregates AuditPairs AuditIntegrity ShadowReport'.split(' ');
  const ofRunners =
    'Runner LaunchProfileVersion ProposeLaunchProfile ApproveLaunchProfile RejectLaunchProfile ServerLog RestartServer MoveServer'.split(' ');
  const ofDrift = 'DefinitionDiff DriftChangeDetail DriftPage SelectionDecision DecideSelection ResumeServer'.split(' ');
  expect([...wanted, ...ofRunners, ...ofDrift].filter((id) => !ids.has(id))).toEqual([]);
});
