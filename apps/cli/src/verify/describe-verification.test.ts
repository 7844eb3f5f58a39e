import { expect, test } from 'vitest';
import type { AuditVerification } from '@portcullis/contracts/api/audit-proof';
import { describeVerification } from './describe-verification.js';

const result: AuditVerification = {
  verdict: 'verified',
  from: 1,
  through: 17,
  anchoredThrough: 17,
  events: 4200,
  droppedEvents: 0,
  unhashedEvents: 0,
  unsealedEvents: 3,
  links: { checked: 12, open: 1 },
  findings: [],
  findingsCount: 0,
};

test('a trail that is as it was recorded is said to be, and what is not sealed yet beside it', () => {
  expect(describeVerification(result)).toBe(
    ['Blocks 1 to 17, 4200 events, 12 links signed by nodes.', '3 events are not sealed yet.', 'VERIFIED: the trail is as it was recorded.'].join(
      '\n',
    ),
  );
});

test('a trail without an anchor at its end is never simply said to be well', () => {
  expect(describeVerification({ ...result, verdict: 'unanchored', anchoredThrough: 9 })).toContain('verified up to block 9 only');
  expect(describeVerification({ ...result, verdict: 'unanchored', anchoredThrough: null })).toContain('no anchor says that nothing is gone');
});

test('a proof that is older than its anchors is told from one that was cut off, and says what it does not show', () => {
  const older = { ...result, verdict: 'unanchored' as const, anchoredLater: 23, madeAt: '2026-11-01T00:00:00.000Z' };
  const text = describeVerification(older);
  expect(text).toContain('It ends with block 17 and says that it was written at 2026-11-01T00:00:00.000Z; anchors have blocks up to 23');
  expect(text).not.toContain('FAILED');
});

test('each thing found is named with its place, and those left out are counted', () => {
  const finding = {
    kind: 'row_missing' as const,
    block: 3,
    node: 'gateway-1',
    boot: '019ab000-0000-7000-8000-000000000001',
    firstSeq: 42,
    lastSeq: 44,
  };
  const findings = [
    { ...finding, detail: 'Rows that were there' },
    { ...finding, kind: 'row_altered' as const, lastSeq: 42, detail: 'Not what it was' },
    { ...finding, kind: 'block_forged' as const, node: null, boot: null, firstSeq: null, lastSeq: null, detail: 'Another key' },
  ];
  const text = describeVerification({ ...result, verdict: 'failed', findings, findingsCount: 5 });
  expect(text).toContain('row_missing: block 3, gateway-1 019ab000-0000-7000-8000-000000000001 42–44: Rows that were there');
  expect(text).toContain('row_altered: block 3, gateway-1 019ab000-0000-7000-8000-000000000001 42: Not what it was');
  expect(text).toContain('block_forged: block 3: Another key');
  expect(text).toContain('… and 2 more.\nFAILED');
});
