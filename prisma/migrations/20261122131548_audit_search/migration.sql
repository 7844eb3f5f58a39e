-- The transaction that stored a row: what a live tail goes by. Rows of before have none.
ALTER TABLE "audit_event" ADD COLUMN "stored_tx" BIGINT;
ALTER TABLE "audit_event" ALTER COLUMN "stored_tx" SET DEFAULT ((pg_current_xact_id())::text)::bigint;

-- Calls are read in the order of their ids, which is that of their beginnings: intent and outcome lie side by side.
DROP INDEX "audit_event_at_id_idx";
DROP INDEX "audit_event_agent_at_idx";
DROP INDEX "audit_event_server_tool_at_idx";

-- CreateIndex
CREATE INDEX "audit_event_agent_call_id_idx" ON "audit_event"("agent", "call_id");
CREATE INDEX "audit_event_server_call_id_idx" ON "audit_event"("server", "call_id");
CREATE INDEX "audit_event_tool_call_id_idx" ON "audit_event"("tool", "call_id");
CREATE INDEX "audit_event_stored_tx_idx" ON "audit_event"("stored_tx");
CREATE INDEX "audit_event_trace_id_call_id_idx" ON "audit_event"("trace_id", "call_id") WHERE "trace_id" IS NOT NULL;
CREATE INDEX "audit_event_exceptions_idx" ON "audit_event"("call_id") WHERE "decision" = 'deny' OR "status" NOT IN ('pending', 'success');
