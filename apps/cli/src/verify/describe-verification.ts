import type { AuditFinding, AuditVerification } from '@portcullis/contracts/api/audit-proof';
import { plainText } from '../plain-text.js';

/** The result of a verification in words: what was read, and what in it is not as it was recorded. */
export function describeVerification(result: AuditVerification): string {
  const { verdict, from, through, anchoredThrough, events, droppedEvents, unhashedEvents, unsealedEvents, links, findings, findingsCount } = result;
  const lines = [
    through === null ? 'There are no blocks yet.' : `Blocks ${String(from)} to ${through}, ${events} events, ${links.checked} links signed by nodes.`,
    ...(droppedEvents > 0 ? [`${droppedEvents} events were dropped by retention, under signed blocks that say so.`] : []),
    ...(unhashedEvents > 0 ? [`${unhashedEvents} events are from before events had hashes.`] : []),
    ...(unsealedEvents > 0 ? [`${unsealedEvents} events are not sealed yet.`] : []),
    ...findings.map(describeFinding),
    ...(findingsCount > findings.length ? [`… and ${findingsCount - findings.length} more.`] : []),
    verdict === 'unanchored' && result.anchoredLater !== undefined ? describeLater(result) : verdicts[verdict](anchoredThrough),
  ];
  return lines.join('\n');
}

const verdicts: Readonly<Record<AuditVerification['verdict'], (anchoredThrough: number | null) => string>> = {
  verified: () => 'VERIFIED: the trail is as it was recorded.',
  unanchored: (through) =>
    through === null
      ? 'UNANCHORED: what is there is as it was recorded; no anchor says that nothing is gone from its end.'
      : `UNANCHORED: verified up to block ${through} only; no anchor vouches for what follows.`,
  failed: () => 'FAILED: the trail is not as it was recorded.',
};

const describeLater = ({ through, anchoredLater, madeAt }: AuditVerification): string =>
  `UNANCHORED: what is in this proof is as it was recorded. It ends with block ${through ?? 'none'} and says that it was written at ${String(madeAt)}; anchors have blocks up to ${String(anchoredLater)}, sealed since. If it is not from then, its end was cut off: write a new one to see what followed.`;

function describeFinding({ kind, block, node, boot, firstSeq, lastSeq, detail }: AuditFinding): string {
  const seqs = firstSeq === null ? '' : firstSeq === lastSeq ? ` ${firstSeq}` : ` ${firstSeq}–${String(lastSeq)}`;
  const where = [block === null ? '' : `block ${block}`, node === null ? '' : `${plainText(node, 128)} ${String(boot)}${seqs}`]
    .filter((part) => part !== '')
    .join(', ');
  return `${kind}: ${where}: ${plainText(detail, 500)}`;
}
