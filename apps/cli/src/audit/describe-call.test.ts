import { expect, test } from 'vitest';
import { AuditCall } from '@portcullis/contracts/api/audit-calls';
import { exampleStory } from '@portcullis/contracts/api/audit-examples';
import { describeStory } from './describe-call.js';

test('the story of a call tells who made it again, where, and whether the result was the same', () => {
  const replay = {
    id: '01a2069e-4358-75cf-bbc1-4fe24d843d70',
    replayOf: exampleStory.call.callId,
    at: '2026-11-23T04:16:04.936Z',
    operator: 'ann',
    reason: 'does staging\u001b[2J answer alike?',
    server: 'github',
    target: 'github-staging',
    tool: 'create_issue',
    status: 'success',
    durationMs: 241,
    resultHash: null,
    resultBytes: 236,
    same: false,
  };
  const story = (replays: readonly object[]) => describeStory(AuditCall.parse({ ...exampleStory, replays }));
  expect(story([replay])).toContain(
    '  2026-11-23T04:16:04.936Z  made again by ann at github-staging: success, the result was another (does staging[2J answer alike?)',
  );
  expect(story([{ ...replay, status: 'failed', same: null }])).toContain('at github-staging: failed (');
  expect(story([])).not.toContain('made again');
});
