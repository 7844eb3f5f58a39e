import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { TrailVerifier, TrustedKeys } from '@portcullis/audit/verify';
import type { AuditBlockRange, AuditProofLine, AuditSigningKey, AuditVerification, AuditVerifyLine } from '@portcullis/contracts/api/audit-proof';
import { PrismaClient } from '@portcullis/database';
import { verifyBytes } from '@portcullis/secrets';
import type { Author } from '../changes/author.js';
import { inTransaction } from '../changes/in-transaction.js';
import { recordAction } from '../changes/record-action.js';
import { PlacesAtOnce } from '../http/places-at-once.js';
import { ProblemError } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';
import { AnchorsService, type AnchoredHeads } from './anchors.service.js';
import { ProofLines } from './proof-lines.js';

const AT_ONCE_MAX = 2;
const PROGRESS_MS = 2000;

/** Verifies the trail, or gives out what somebody else needs to verify it. Either reads it once, in constant memory. */
@Injectable()
export class VerificationService {
  private readonly places = new PlacesAtOnce(
    AT_ONCE_MAX,
    () => new ProblemError('unavailable', `${AT_ONCE_MAX} verifications are running here. Try again when one has ended.`),
  );

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(ProofLines) private readonly proof: ProofLines,
    @Inject(AnchorsService) private readonly anchors: AnchorsService,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  /** The public keys whose private halves this installation has or had: those in the database that open under its master key. */
  async signingKeys(): Promise<AuditSigningKey[]> {
    return this.keys.signingKeysEver();
  }

  async verify(author: Author, range: AuditBlockRange): Promise<Readable> {
    return this.open(author, { verify: range }, () => this.verifyLines(range));
  }

  async export(author: Author, range: AuditBlockRange): Promise<Readable> {
    return this.open(author, { proof: range }, () => this.exportLines(range));
  }

  private async open(author: Author, detail: Record<string, unknown>, lines: () => AsyncGenerator<string>): Promise<Readable> {
    return this.places.whileOpen(async () => {
      await inTransaction(this.database, (tx) => recordAction(tx, author, { action: 'audit.read', detail }));
      return Readable.from(lines(), { objectMode: false });
    });
  }

  private async *exportLines(range: AuditBlockRange): AsyncGenerator<string> {
    for await (const lines of this.proof.read(range)) yield lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  }

  private async *verifyLines(range: AuditBlockRange): AsyncGenerator<string> {
    // Before the blocks: a head that is told meanwhile is of none of them.
    const heads = await this.anchors.heads();
    try {
      const verifier = new TrailVerifier(new TrustedKeys(await this.signingKeys(), verifyBytes));
      let toldAt = performance.now();
      for await (const lines of this.proof.read(range)) {
        for (const line of lines) {
          if (line.type === 'end') yield lineOf({ type: 'result', result: await resultOf(verifier, heads, line) });
          else verifier.take(line);
        }
        if (performance.now() - toldAt < PROGRESS_MS) continue;
        toldAt = performance.now();
        yield lineOf({ type: 'progress', ...verifier.progress });
      }
    } finally {
      await heads?.close();
    }
  }
}

const lineOf = (line: AuditVerifyLine): string => `${JSON.stringify(line)}\n`;

async function resultOf(
  verifier: TrailVerifier,
  heads: AnchoredHeads | undefined,
  end: Extract<AuditProofLine, { type: 'end' }>,
): Promise<AuditVerification> {
  if (heads !== undefined) for await (const head of heads.read()) verifier.takeHead(head);
  return verifier.end(end);
}
