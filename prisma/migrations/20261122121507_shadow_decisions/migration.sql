-- AlterTable
ALTER TABLE "audit_event"
    ADD COLUMN "shadow_decision" TEXT,
    ADD COLUMN "shadow_grant_id" UUID;

-- Few events have one, and the others are to pay nothing for it.
CREATE INDEX "audit_event_shadow_grant_id_at_idx" ON "audit_event"("shadow_grant_id", "at" DESC) WHERE "shadow_grant_id" IS NOT NULL;
