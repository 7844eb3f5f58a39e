-- AlterTable
ALTER TABLE "audit_event" ADD COLUMN "task" TEXT;

-- Few events have one, and the others are to pay nothing for it.
CREATE INDEX "audit_event_task_call_id_idx" ON "audit_event"("task", "call_id" DESC) WHERE "task" IS NOT NULL;
