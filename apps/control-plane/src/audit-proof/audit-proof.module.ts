import { Module, type DynamicModule } from '@nestjs/common';
import { inBackground } from '../background/in-background.js';
import { ANCHOR_TARGETS, AnchorsService, type AnchorTargets } from './anchors.service.js';
import { AuditProofController } from './audit-proof.controller.js';
import { AuditSealer } from './audit-sealer.js';
import { HoldsController } from './holds.controller.js';
import { HoldsService } from './holds.service.js';
import { ProofLines } from './proof-lines.js';
import { RetentionClock } from './retention-clock.js';
import { RetentionController } from './retention.controller.js';
import { RetentionService } from './retention.service.js';
import { VerificationService } from './verification.service.js';

/** Blocks over the trail, their anchors, and how both are verified. */
@Module({})
export class AuditProofModule {
  static anchoredAt(targets: AnchorTargets = {}): DynamicModule {
    return {
      module: AuditProofModule,
      controllers: [AuditProofController, HoldsController, RetentionController],
      providers: [
        AnchorsService,
        ...inBackground(AuditSealer, 'audit-sealer'),
        HoldsService,
        ProofLines,
        ...inBackground(RetentionClock, 'audit-retention'),
        RetentionService,
        VerificationService,
        { provide: ANCHOR_TARGETS, useFactory: () => targets },
      ],
    };
  }
}
