-- AlterTable
ALTER TABLE "audit_event" ADD COLUMN "claimed_agent" TEXT;

-- Few events have one, and the others are to pay nothing for it.
CREATE INDEX "audit_event_claimed_agent_call_id_idx" ON "audit_event"("claimed_agent", "call_id" DESC) WHERE "claimed_agent" IS NOT NULL;
