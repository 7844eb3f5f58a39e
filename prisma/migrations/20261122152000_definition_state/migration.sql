-- CreateIndex
CREATE INDEX "definition_state_id_idx" ON "definition"("state", "id");
