import { expect, test } from 'vitest';
import { parseClientScenarios } from './run-client-scenarios.mjs';

test('the suite’s list is read: what it scores, and what it only reports of clients', () => {
  const listing = [
    'Required for 2025-11-25 (3 scenarios):',
    '',
    'Server scenarios (test against a server):',
    '  - ping',
    '',
    'Client scenarios (test against a client):',
    '  - initialize',
    '  - auth/metadata-default',
    '',
    'Run and reported, but never scored:',
    '  pending (2):',
    '    - json-schema-2020-12 [server]',
    '    - sse [client]',
  ].join('\n');
  expect(parseClientScenarios(listing)).toEqual({ scored: ['initialize', 'auth/metadata-default'], unscored: ['sse'] });
});
