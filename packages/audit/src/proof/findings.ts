import type { AuditFinding, AuditFindingKind } from '@portcullis/contracts/api/audit-proof';

const FINDINGS_MAX = 100;

type Place = Partial<Pick<AuditFinding, 'block' | 'node' | 'boot' | 'firstSeq' | 'lastSeq'>>;

/** What a verification has found, in the order of the trail, whenever it was found. */
export class Findings {
  readonly shown: AuditFinding[] = [];
  count = 0;

  add(kind: AuditFindingKind, { block = null, node = null, boot = null, firstSeq = null, lastSeq = firstSeq }: Place, detail: string): void {
    this.count += 1;
    const { shown } = this;
    const later = block === null ? -1 : shown.findIndex((finding) => finding.block !== null && finding.block > block);
    shown.splice(later < 0 ? shown.length : later, 0, { kind, block, node, boot, firstSeq, lastSeq, detail });
    if (shown.length > FINDINGS_MAX) shown.pop();
  }
}
