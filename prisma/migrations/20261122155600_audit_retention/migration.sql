-- Which day a block says was dropped: verifications ask for all of these.
ALTER TABLE "audit_block" ADD COLUMN "dropped_day" DATE;
CREATE INDEX "audit_block_dropped_day_idx" ON "audit_block"("n") WHERE "dropped_day" IS NOT NULL;
