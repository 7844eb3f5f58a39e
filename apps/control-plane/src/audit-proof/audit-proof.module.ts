import { Module, type DynamicModule } from '@nestjs/common';
import { ANCHOR_TARGETS, AnchorsService, type AnchorTargets } from './anchors.service.js';
import { AuditProofController } from './audit-proof.controller.js';
import { AuditSealer } from './audit-sealer.js';
import { ProofLines } from './proof-lines.js';
import { VerificationService } from './verification.service.js';

/** Blocks over the trail, their anchors, and how both are verified. */
@Module({})
export class AuditProofModule {
  static anchoredAt(targets: AnchorTargets = {}): DynamicModule {
    return {
      module: AuditProofModule,
      controllers: [AuditProofController],
      providers: [AnchorsService, AuditSealer, ProofLines, VerificationService, { provide: ANCHOR_TARGETS, useFactory: () => targets }],
    };
  }
}
